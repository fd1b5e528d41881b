import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EXIT } from "@sluice/service";
import { afterEach, beforeEach, expect, test } from "vitest";

import { loadSettings } from "../src/settings.ts";

let folder: string;

beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "sluice-settings-"))));

afterEach(() => rmSync(folder, { recursive: true }));

async function token(env: Readonly<Record<string, string>>): Promise<string> {
  const { settings } = await loadSettings({
    file: undefined,
    flags: {},
    env: { CONFIGURATION_DIRECTORY: folder, STATE_DIRECTORY: folder, ...env },
  });
  return settings.token();
}

function tokenFile(text: string): string {
  const file = join(folder, "agent.token");
  writeFileSync(file, text);
  return file;
}

test("the token comes from the variable before the file, without the newline behind it", async () => {
  const SLUICE_AGENT_TOKEN_FILE = tokenFile("from-file\n");
  expect(await token({ SLUICE_AGENT_TOKEN_FILE })).toBe("from-file");
  expect(await token({ SLUICE_AGENT_TOKEN_FILE, SLUICE_AGENT_TOKEN: "own\n" })).toBe("own");
});

test.each(["", "two\nlines", "esc\u001b[2J"])(
  "a token file that holds %j is refused by name, before anything is sent",
  async (text) => {
    const SLUICE_AGENT_TOKEN_FILE = tokenFile(text);
    await expect(token({ SLUICE_AGENT_TOKEN_FILE })).rejects.toMatchObject({
      message: `token_file ${SLUICE_AGENT_TOKEN_FILE} does not hold a token`,
      exitCode: EXIT.config,
    });
  },
);

test("an encoding that nobody knows is refused with its place, and what one may look like", async () => {
  const file = join(folder, "agent.yaml");
  writeFileSync(file, "sources:\n  - file: /var/log/a.log\n    encoding: utf-17\n");
  await expect(loadSettings({ file, flags: {}, env: {} })).rejects.toMatchObject({
    message: expect.stringMatching(/agent\.yaml:3:15: .*expected an encoding such as utf-16le/),
    exitCode: EXIT.config,
  });
});

test("UTF-8 is what is shipped anyway, and roots are absolute", async () => {
  const file = join(folder, "agent.yaml");
  writeFileSync(
    file,
    "sources:\n  - file: /var/log/a.log\n    encoding: UTF-8\n    roots: /data/../pods\n",
  );
  const { settings } = await loadSettings({
    file,
    flags: {},
    env: { STATE_DIRECTORY: folder },
  });
  expect(settings.sources).toMatchObject([{ encoding: undefined, roots: ["/pods"] }]);
});

test.each([
  ["collector: ws://user:canary@h:7514", "1:12: collector: a URL is shown in logs: put the token"],
  ["failback: 0s", "1:11: failback: expected 100ms to 7d, or never"],
  ["failback: 30d", "1:11: failback: expected 100ms to 7d, or never"],
  ['host: "a\\nb"', "1:7: host: expected a name of at most 256 characters"],
  ['labels: {"kubernetes.io/app": x}', "expected a name of letters, digits, _, . and -"],
  ['labels: {a: "\\0"}', "1:13: labels.a: expected a text without NUL"],
])("what no collector would take is refused before it is sent: %s", async (yaml, message) => {
  const file = join(folder, "agent.yaml");
  writeFileSync(file, yaml);
  const loading = loadSettings({ file, flags: {}, env: { STATE_DIRECTORY: folder } });
  await expect(loading).rejects.toMatchObject({
    exitCode: 78,
    message: expect.stringContaining(message),
  });
});

test("a stream has no more labels than the protocol takes, the agent's own included", async () => {
  const file = join(folder, "agent.yaml");
  const labels = Object.fromEntries(Array.from({ length: 64 }, (_, i) => [`l${i}`, "x"]));
  const load = (own: Record<string, string>): Promise<unknown> => {
    writeFileSync(file, JSON.stringify({ labels: own, sources: [{ file: "/a", labels }] }));
    return loadSettings({ file, flags: {}, env: { STATE_DIRECTORY: folder } });
  };
  await load({ l0: "y" });
  await expect(load({ env: "y" })).rejects.toMatchObject({
    message: expect.stringContaining("sources[0].labels: expected at most 64 labels of 4 KiB"),
  });
});
