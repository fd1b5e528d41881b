import { closeSync, fstatSync, openSync, writeFileSync } from "node:fs";
import { setImmediate } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { expect, it } from "vitest";
import { Inflater } from "../src/archive/inflater.ts";
import { OpenFile } from "../src/open-file.ts";
import { Folder } from "./tail-fixture.ts";

it("leaves descriptors alone that were opened after it and its file were closed", async () => {
  using folder = new Folder();
  const path = folder.at("app.log.1.gz");
  // Longer than one read, so that another would follow.
  const lines = Array.from({ length: 100_000 }, (_, n) => `${Math.sin(n)}\n`).join("");
  writeFileSync(path, gzipSync(lines));
  const file = OpenFile.open(path);
  const inflater = new Inflater(file, "gz");
  expect(await inflater.read(new Uint8Array(100))).toBe(100);
  inflater.close();
  file.close();
  const other = openSync(path, "r");
  for (let turns = 0; turns < 200; turns += 1) await setImmediate();
  expect(fstatSync(other).isFile()).toBe(true);
  closeSync(other);
});

it("has nothing ahead once its file is closed", () => {
  using folder = new Folder();
  const path = folder.at("app.log.1.gz");
  writeFileSync(path, gzipSync("one\n"));
  const file = OpenFile.open(path);
  const inflater = new Inflater(file, "gz");
  expect(inflater.aheadBytes).toBeGreaterThan(0);
  file.close();
  expect(inflater.aheadBytes).toBe(0);
});
