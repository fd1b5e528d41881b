import {
  appendFileSync,
  chmodSync,
  chownSync,
  mkdirSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";

import { asOrdinaryUser, NO_ORDINARY_USER } from "../src/ordinary-user.ts";
import { runCommand } from "../src/command.ts";
import { Site } from "../src/site.ts";

interface Status {
  readonly pid: number;
  readonly connection: { readonly state: string; readonly lastDisconnect?: { reason: string } };
  readonly streams: readonly {
    readonly source: string;
    readonly lagBytes: number;
    readonly lagMs: number;
    readonly seenBytes: number;
    readonly storedBytes: number;
    readonly unaccountedBytes: number;
  }[];
}

/** Writes a configuration of the site's agent, and gives its path. */
function configure(site: Site, port: number, more: Readonly<Record<string, unknown>>): string {
  const config = join(site.dir, "agent.yaml");
  writeFileSync(
    config,
    JSON.stringify({
      collector: `ws://127.0.0.1:${port}`,
      token_file: join(site.dataDir, "tokens/ingest.token"),
      state_dir: site.stateDir,
      host: "test-host",
      ...more,
    }),
  );
  return config;
}

async function statusOf(site: Site, config: string): Promise<Status> {
  const { code, stdout, stderr } = await site.sluiceAgent("status", "--json", "--config", config);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return JSON.parse(stdout) as Status;
}

/** Asks until the status is as it will be: it is another process that gets there. */
async function statusWhere(
  site: Site,
  config: string,
  isSo: (status: Status) => boolean,
): Promise<Status> {
  for (;;) {
    const status = await statusOf(site, config);
    if (isSo(status)) return status;
  }
}

describe("a running agent", () => {
  test("says where every byte is, to people and machines, with and without its collector", async () => {
    await using site = new Site();
    const { collector, port } = await site.startCollector();
    const path = join(site.logDir, "app.log");
    const ruled = join(site.logDir, "ruled.log");
    const rules = { exclude_lines: "healthz", redact: ["email"] };
    const config = configure(site, port, {
      sources: [
        { file: path, start: "beginning" },
        { file: ruled, start: "beginning", ...rules },
      ],
      metrics: { listen: "127.0.0.1:0" },
    });
    const before = await site.sluiceAgent("status", "--config", config);
    expect(before).toMatchObject({ code: 1, stdout: "" });
    expect(before.stderr).toContain(`no agent is running on ${site.stateDir}`);

    const written = "one\ntwo\nthree\n";
    writeFileSync(path, written);
    writeFileSync(ruled, "GET /healthz\nby a@b.example\nby nobody\n");
    const agent = site.launchAgentWith(config);
    const { fields } = await agent.logged(({ msg }) => msg === "metrics are served");
    await agent.ready();
    const stored = await statusWhere(
      site,
      config,
      ({ streams }) => streams.length === 2 && streams.every(({ lagBytes }) => lagBytes === 0),
    );
    expect(stored).toMatchObject({
      pid: agent.pid,
      connection: { state: "connected" },
      processing: [{ source: ruled, excluded: 1, redactions: 1, failed: 0 }],
      streams: [
        {
          source: path,
          state: "reading",
          lagMs: 0,
          records: 3,
          seenBytes: written.length,
          storedBytes: written.length,
          filteredBytes: 0,
          gapBytes: 0,
          lostBytes: 0,
          unaccountedBytes: 0,
        },
        { source: ruled, records: 2, filteredRecords: 1 },
      ],
    });
    const metrics = await fetch(`http://${String(fields["listen"])}/metrics`);
    const samples = await metrics.text();
    expect(samples).toContain(`sluice_agent_records_total{source="${path}"} 3\n`);
    expect(samples).toContain(`sluice_agent_excluded_total{source="${ruled}"} 1\n`);
    expect(samples).toContain(`sluice_agent_redacted_total{source="${ruled}"} 1\n`);
    expect((await fetch(`http://${String(fields["listen"])}/healthz`)).status).toBe(200);
    const { stdout } = await site.sluiceAgent("status", "--config", config);
    expect(stdout).toMatch(/app\.log +caught up +0 B/);
    expect(stdout).toContain(`${ruled}: 1 excluded, 1 redacted`);

    await collector.kill();
    appendFileSync(path, "nobody takes this\n");
    const behind = await statusWhere(site, config, ({ streams }) => streams[0]?.lagBytes === 18);
    expect(behind.connection.state).toBe("disconnected");
    expect(behind.connection.lastDisconnect?.reason).not.toBe("");
  });

  test("is told of a path that is added, and ships it", async () => {
    await using site = new Site();
    const { port } = await site.startCollector();
    const [first, second] = ["first.log", "second.log"].map((name) => join(site.logDir, name)) as [
      string,
      string,
    ];
    const config = configure(site, port, { sources: [{ file: first, start: "beginning" }] });
    const agent = site.launchAgentWith(config);
    await agent.ready();
    writeFileSync(second, "added\n");
    const add = ["add", second, "--start", "beginning", "--config", config];
    const added = await site.sluiceAgent(...add);
    expect(added).toMatchObject({ code: 0, stderr: "" });
    expect(added.stdout).toContain(`process ${agent.pid}`);
    expect(added.stdout).toContain("1 file, readable");
    await site.untilStored(1);
    const text = readFileSync(config, "utf8");
    const folder = await site.sluiceAgent("add", site.logDir, "--config", config);
    expect(folder).toMatchObject({ code: 2, stdout: "" });
    expect(folder.stderr).toContain(`is a folder\n  name the files in it: sluice-agent add`);
    const again = await site.sluiceAgent(...add);
    expect(again.code).toBe(0);
    expect(again.stdout).toContain("is read already");
    expect(readFileSync(config, "utf8")).toBe(text);
  });
});

describe("sluice-agent doctor", () => {
  test("names the first thing that is in the way, and says yes where nothing is", async () => {
    await using site = new Site();
    const { collector, port } = await site.startCollector();
    const path = join(site.logDir, "app.log");
    writeFileSync(path, "one\n");
    const config = configure(site, port, { sources: [{ file: path }] });
    site.launchAgentWith(config);
    await site.services.at(-1)?.ready();
    const well = await site.sluiceAgent("doctor", "--config", config);
    expect(well).toMatchObject({ code: 0, stderr: "" });
    expect(well.stdout).toContain("Yes: this host's logs can be shipped.");

    const wrongToken = join(site.dir, "wrong.token");
    writeFileSync(wrongToken, "wrong\n");
    const asking = ["doctor", "--json", "--config", config, "--token-file", wrongToken];
    const refused = await site.sluiceAgent(...asking);
    expect(refused.code).toBe(1);
    expect(JSON.parse(refused.stdout)).toMatchObject({
      verdict: "fail",
      next: expect.stringContaining("compare token_file"),
    });

    await collector.stop();
    const alone = await site.sluiceAgent("doctor", "--config", config);
    expect(alone.code).toBe(1);
    expect(alone.stdout).toMatch(/FAIL +ws:.*ECONNREFUSED/);
    expect(alone.stdout).toContain("Next: nothing listens on");
  });

  test.skipIf(asOrdinaryUser() === undefined)(
    `names the group that may read a file which the agent may not (${NO_ORDINARY_USER})`,
    async () => {
      await using site = new Site();
      const path = join(site.logDir, "auth.log");
      writeFileSync(path, "secret\n");
      chmodSync(site.dir, 0o755);
      chmodSync(path, 0o640);
      if (process.getuid?.() === 0) chownSync(path, 0, 4); // adm, in Debian and its like
      const config = configure(site, 9, { sources: [{ file: path }] });
      mkdirSync(site.stateDir, { mode: 0o777 });
      chmodSync(site.stateDir, 0o777);
      const command = [
        process.execPath,
        site.product.agent,
        "doctor",
        "--json",
        "--config",
        config,
      ];
      const { stdout } = await runCommand([...(asOrdinaryUser() ?? []), ...command]);
      const { checks } = JSON.parse(stdout) as { checks: { name: string; advice?: string }[] };
      expect(checks.find(({ name }) => name === path)).toMatchObject({
        outcome: "fail",
        advice: expect.stringContaining("usermod -aG"),
      });
    },
  );
});
