import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";

import { tokenCredential } from "../../src/service/token-credential.ts";

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "sluice-credential-"));
});
afterEach(() => rmSync(dir, { recursive: true }));

it.each([
  ["a token", "abc\n", "abc\n"],
  ["the unit's default", "\n", undefined],
  ["nothing", "", undefined],
])("%s that systemd hands on is taken as what it is", async (_name, text, expected) => {
  writeFileSync(join(dir, "agent.token"), text);
  expect(await tokenCredential({ CREDENTIALS_DIRECTORY: dir })).toBe(expected);
});

it("without one there is none", async () => {
  expect(await tokenCredential({})).toBeUndefined();
  expect(await tokenCredential({ CREDENTIALS_DIRECTORY: dir })).toBeUndefined();
});

it("one that cannot be read is an error, not an agent without a token", async () => {
  const file = join(dir, "file");
  writeFileSync(file, "");
  await expect(tokenCredential({ CREDENTIALS_DIRECTORY: file })).rejects.toThrow("ENOTDIR");
});
