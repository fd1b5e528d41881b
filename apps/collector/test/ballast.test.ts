import { existsSync, mkdtempSync, rmSync, statfsSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";

import { Ballast, ballastBytesFor, missingBallast } from "../src/guard/ballast.ts";
import { folderBytes } from "../src/retention/inventory.ts";

const MiB = 1024 * 1024;

let dataDir: string;
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), "sluice-ballast-"));
});
afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

test.each([
  [1024 * 1024 * MiB, 128 * MiB],
  [2560 * MiB, 128 * MiB],
  [2559 * MiB, Math.floor(2559 * MiB * 0.05)],
  [64 * MiB, Math.floor(3.2 * MiB)],
  [0, 0],
])("on a volume of %i bytes it is %i bytes", (totalBytes, bytes) => {
  expect(ballastBytesFor(totalBytes)).toBe(bytes);
});

test("it grows by slices to the size that is wanted, and its blocks are really there", async () => {
  const ballast = new Ballast(dataDir);
  expect(await ballast.grow(20 * MiB)).toBe(true);
  expect(await ballast.bytes()).toBe(8 * MiB);
  expect(await ballast.grow(20 * MiB)).toBe(true);
  expect(await ballast.grow(20 * MiB)).toBe(false);
  expect(await ballast.grow(20 * MiB)).toBe(false);
  const { size, blocks } = statSync(join(dataDir, "ballast"));
  expect(size).toBe(20 * MiB);
  expect(blocks * 512).toBeGreaterThanOrEqual(size);
});

test("released it is gone, a second time too", async () => {
  const ballast = new Ballast(dataDir);
  await ballast.grow(1 * MiB);
  expect(await ballast.release()).toBe(1 * MiB);
  expect(await ballast.release()).toBe(0);
  expect(existsSync(join(dataDir, "ballast"))).toBe(false);
});

test("what it lacks is spoken for, and what is there does not count as stored", async () => {
  const { blocks, bsize } = statfsSync(dataDir);
  const wanted = ballastBytesFor(blocks * bsize);
  await new Ballast(dataDir).grow(1 * MiB);
  expect(await missingBallast(dataDir, blocks * bsize)).toBe(wanted - 1 * MiB);
  expect(await folderBytes(dataDir)).toBe(0);
});
