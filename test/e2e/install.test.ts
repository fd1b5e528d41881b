import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";

import { onlyWhereAllAreWanted } from "../src/long-test.ts";
import { privateHostRefused, typeOnPrivateHost } from "../src/enrol/private-host.ts";
import { SecureCollector } from "../src/enrol/secure-collector.ts";
import { PRODUCT } from "../src/product.ts";

const REFUSED = privateHostRefused();

const AGENT = "/usr/local/bin/sluice-agent";
const INSTALLED = `${AGENT} /etc/sluice /var/lib/sluice-agent`;
/** What is there, whose, since when. */
const LIST = `find ${INSTALLED} -printf '%p %m %u %T@ %s\\n' | sort`;

test.for([["curl", [] as string[]] as const, ["wget", ["curl"]] as const])(
  "the line of sluice enroll new installs and enrols by %s, twice to the same end, and shows its token to nobody",
  async ([downloader, hidden], context) => {
    if (REFUSED !== undefined) context.skip(REFUSED);
    if (downloader === "wget") onlyWhereAllAreWanted(context);
    const dir = mkdtempSync(join(tmpdir(), "sluice-install-"));
    try {
      await using collector = await SecureCollector.start(dir);
      copyFileSync(PRODUCT.agent, join(collector.productsDir, "sluice-agent.js"));
      const { lines, token } = await collector.enrolment("--label", "env=prod");
      const session = await typeOnPrivateHost(
        [
          lines.install,
          `echo "-- first: $?"`,
          `${LIST} >/tmp/first.$$`,
          lines.install,
          `echo "-- second: $?"`,
          `${LIST} | diff /tmp/first.$$ - && echo "-- nothing has changed"`,
          `cat /tmp/first.$$; rm /tmp/first.$$`,
          `setpriv --reuid sluice-agent --regid sluice-agent --init-groups ${AGENT} check --config /etc/sluice/agent.yaml`,
          `stat -c '%a %U' /etc/sluice/ca.pem /etc/sluice/agent.yaml /var/lib/sluice-agent/agent.key`,
          `id -nG sluice-agent`,
        ],
        { hidden, secrets: [token] },
      );
      const { output, leaks } = session;
      expect(output).toContain("-- first: 0");
      expect(output).toContain(`installed  ${AGENT} (sluice-agent.js)`);
      expect(output).toContain("enrolled at wss://127.0.0.1");
      expect(output).toContain("nothing was started");
      expect(output).toContain("-- second: 0");
      expect(output).toContain("enrolled already");
      expect(output).toContain("-- nothing has changed");
      expect(output).toContain("/etc/sluice/agent.yaml: valid");
      expect(output).toContain("644 root\n644 root\n600 sluice-agent\n");
      expect(output).toMatch(/^sluice-agent.*\badm\b/m);
      expect(output).not.toContain(token);
      expect(leaks).toEqual([]);
      expect(collector.logText).not.toContain(token);
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  },
);

test("what does not have the SHA-256 of the collector's list is not installed", async ({
  skip,
}) => {
  if (REFUSED !== undefined) skip(REFUSED);
  const dir = mkdtempSync(join(tmpdir(), "sluice-install-"));
  try {
    await using collector = await SecureCollector.start(dir);
    copyFileSync(PRODUCT.agent, join(collector.productsDir, "sluice-agent.js"));
    const sums = `${"0".repeat(64)}  sluice-agent.js\n`;
    writeFileSync(join(collector.productsDir, "SHA256SUMS"), sums);
    const { lines, token } = await collector.enrolment();
    const { output } = await typeOnPrivateHost(
      [lines.install, `echo "-- code $?"`, `ls ${AGENT} /etc/sluice`],
      { secrets: [token] },
    );
    expect(output).toContain("sluice: the SHA-256 of sluice-agent.js is");
    expect(output).toContain("nothing was installed");
    expect(output).toContain("-- code 1");
    expect(output).toContain(`cannot access '${AGENT}'`);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});
