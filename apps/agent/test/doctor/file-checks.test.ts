import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { checkGlob } from "../../src/doctor/file-checks.ts";

let folder: string;

beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "sluice-doctor-"))));

afterEach(() => rmSync(folder, { recursive: true }));

describe("a doctor's look at files", () => {
  it("counts those that can be read", async () => {
    writeFileSync(join(folder, "a.log"), "");
    const { check, count } = await checkGlob(join(folder, "*.log"), [], "me");
    expect({ count, ...check }).toMatchObject({ count: 1, outcome: "ok" });
  });

  it("names a file whose name is not UTF-8, which is not read", async () => {
    writeFileSync(join(folder, "a.log"), "");
    writeFileSync(
      Buffer.concat([Buffer.from(`${folder}/`), Buffer.from("\xff.log", "latin1")]),
      "",
    );
    const { check } = await checkGlob(join(folder, "*.log"), [], "me");
    expect(check).toMatchObject({
      outcome: "warn",
      summary: expect.stringContaining(`such as ${folder}/\ufffd.log; 1 files can`),
    });
  });
});
