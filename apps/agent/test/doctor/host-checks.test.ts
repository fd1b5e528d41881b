import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { checkJournal } from "../../src/doctor/host-checks.ts";

/** Has one journal, this machine's; of a folder it says what journalctl says of one that is not there. */
const JOURNALCTL = `#!/bin/sh
for argument; do
  case "$argument" in --directory=*) echo "Failed to open \${argument#*=}: No such file" >&2; exit 1;; esac
done
echo "$WORDS" >&2
`;

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "sluice-doctor-"));
  const program = join(folder, "journalctl");
  writeFileSync(program, JOURNALCTL);
  chmodSync(program, 0o755);
  vi.stubEnv("PATH", `${folder}:/bin:/usr/bin`);
});

afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

describe("a doctor's look at a journal", () => {
  it("is at the very journal that is read, by the name of its stream", async () => {
    expect(await checkJournal({ directory: undefined }, "me")).toMatchObject({
      name: "journald",
      outcome: "ok",
    });
    expect(await checkJournal({ directory: "/remote" }, "me")).toMatchObject({
      name: "journald:/remote",
      outcome: "fail",
      summary: "Failed to open /remote: No such file",
      advice: expect.stringContaining("journald.directory"),
    });
  });

  it("names the group that sees all of it", async () => {
    vi.stubEnv(
      "WORDS",
      "Hint: You are currently not seeing messages from other users and the system.",
    );
    expect(await checkJournal({ directory: undefined }, "me")).toMatchObject({
      outcome: "fail",
      advice: expect.stringContaining("usermod -aG systemd-journal me"),
    });
  });

  it("says so where there is no journalctl", async () => {
    vi.stubEnv("PATH", join(folder, "nowhere"));
    expect(await checkJournal({ directory: undefined }, "me")).toMatchObject({
      outcome: "fail",
      summary: "there is no journalctl",
    });
  });
});
