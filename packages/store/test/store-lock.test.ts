import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import type { Readable } from "node:stream";
import { afterEach, beforeEach, expect, it } from "vitest";

import { StoreError } from "../src/errors.ts";
import { StoreLock } from "../src/store-lock.ts";
import { Folder } from "./folder.ts";

let folder: Folder;

beforeEach(() => {
  folder = new Folder();
});

afterEach(() => folder[Symbol.dispose]());

/** Another process that holds the lock until it is killed. */
async function holder(): Promise<ChildProcessByStdio<null, Readable, null>> {
  const module = new URL("../src/store-lock.ts", import.meta.url).href;
  const script = `
    import { StoreLock } from ${JSON.stringify(module)};
    globalThis.lock = StoreLock.acquire(${JSON.stringify(folder.path)});
    console.log("held");
    setInterval(() => {}, 1_000_000);
  `;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(child.stdout, "data");
  return child;
}

function codeOf(attempt: () => unknown): string {
  try {
    attempt();
  } catch (error) {
    return error instanceof StoreError ? error.code : String(error);
  }
  return "acquired";
}

it("refuses a folder that another process holds, and takes it over after kill -9", async () => {
  const child = await holder();
  expect(codeOf(() => StoreLock.acquire(folder.path))).toBe("data-locked");
  const gone = once(child, "exit");
  child.kill("SIGKILL");
  await gone;
  using lock = StoreLock.acquire(folder.path);
  expect(lock).toBeInstanceOf(StoreLock);
});

it("refuses a second one of the same process, until the first lets go", () => {
  const first = StoreLock.acquire(folder.path);
  expect(codeOf(() => StoreLock.acquire(folder.path))).toBe("data-locked");
  first[Symbol.dispose]();
  using second = StoreLock.acquire(folder.path);
  expect(second).toBeInstanceOf(StoreLock);
});

it("leaves the holder's lock alone when it is refused", () => {
  using first = StoreLock.acquire(folder.path);
  for (let attempt = 0; attempt < 3; attempt++) {
    expect(codeOf(() => StoreLock.acquire(folder.path))).toBe("data-locked");
  }
  expect(first).toBeInstanceOf(StoreLock);
});
