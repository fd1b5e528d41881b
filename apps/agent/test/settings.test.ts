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
