import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";

import { readConfigFile } from "../src/config-file.ts";
import { EXIT } from "../src/failure.ts";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "sluice-service-"));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

test("a standard file that is absent means defaults", async () => {
  expect(await readConfigFile(join(folder, "agent.yaml"), false, "agent")).toBeUndefined();
});

test("a named file that is absent is a wrong configuration", async () => {
  const file = join(folder, "agent.yaml");
  await expect(readConfigFile(file, true, "agent")).rejects.toMatchObject({
    message: `${file}: there is no such file`,
    exitCode: EXIT.config,
  });
});

test("a folder in a file's place is a wrong configuration, named or not", async () => {
  await expect(readConfigFile(folder, false, "agent")).rejects.toMatchObject({
    exitCode: EXIT.config,
    advice: expect.stringContaining("the agent's user may read it"),
  });
});

test("a file that is there is read as it is", async () => {
  const file = join(folder, "agent.yaml");
  writeFileSync(file, "host: web-1\n");
  expect(await readConfigFile(file, true, "agent")).toBe("host: web-1\n");
});
