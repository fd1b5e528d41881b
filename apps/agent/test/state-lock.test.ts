import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readdirSync, renameSync, symlinkSync } from "node:fs";
import { createServer } from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";
import { Failure } from "@sluice/service";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { StateLock } from "../src/state-lock.ts";
import { Folder } from "./folder.ts";

let folder: Folder;
const held: StateLock[] = [];

beforeEach(() => {
  folder = new Folder();
});

afterEach(async () => {
  await release();
  folder[Symbol.dispose]();
});

async function acquire(path = folder.path): Promise<StateLock> {
  const lock = await StateLock.acquire(path);
  held.push(lock);
  return lock;
}

async function release(): Promise<void> {
  await Promise.all(held.splice(0).map((lock) => lock[Symbol.asyncDispose]()));
}

async function refusal(): Promise<Failure> {
  const error: unknown = await acquire().catch((reason: unknown) => reason);
  if (!(error instanceof Failure)) {
    throw new Error(`expected a Failure, got ${String(error)}`);
  }
  return error;
}

/** Another process that holds the lock until it is killed. */
async function holder() {
  const module = new URL("../src/state-lock.ts", import.meta.url).href;
  const script = `
    import { StateLock } from ${JSON.stringify(module)};
    globalThis.lock = await StateLock.acquire(${JSON.stringify(folder.path)});
    console.log("held");
    setInterval(() => {}, 1_000_000);
  `;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(child.stdout, "data");
  return child;
}

/** What a killed agent leaves: a socket that nobody listens on, and the claim that names it. */
async function leaveDeadClaim(): Promise<void> {
  const server = createServer();
  const listening = once(server, "listening");
  server.listen(folder.at("bound.sock"));
  await listening;
  renameSync(folder.at("bound.sock"), folder.at("dead.sock"));
  const closed = once(server, "close");
  server.close();
  await closed;
  const numbers = readdirSync(folder.path).map((name) =>
    Number(/^(\d+)\.lock/.exec(name)?.[1] ?? 0),
  );
  symlinkSync("dead.sock", folder.at(`${Math.max(...numbers) + 1}.lock.sock`));
}

async function kill(child: Awaited<ReturnType<typeof holder>>): Promise<void> {
  const gone = once(child, "exit");
  child.kill("SIGKILL");
  await gone;
}

describe("the lock of a state folder", () => {
  it("refuses a second agent and names the first, until that is killed", async () => {
    const child = await holder();
    const failure = await refusal();
    expect(failure.message).toContain(`process ${child.pid}`);
    expect(failure.message).toContain(folder.path);
    await kill(child);
    await acquire();
    expect((await refusal()).message).toContain(`process ${process.pid}`);
  });

  it("is free again when its holder lets go", async () => {
    for (let round = 0; round < 3; round++) {
      await acquire();
      expect((await refusal()).message).toContain(folder.path);
      await release();
    }
  });

  it("stays with its holder however often others ask for it", async () => {
    await acquire();
    const refusals = await Promise.all(Array.from({ length: 20 }, refusal));
    expect(refusals.every(({ message }) => message.includes(String(process.pid)))).toBe(true);
    await refusal();
  });

  it("goes to exactly one of several that start at once", async () => {
    for (let round = 0; round < 20; round++) {
      const attempts = await Promise.allSettled(Array.from({ length: 6 }, () => acquire()));
      expect(attempts.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
      await refusal();
      await release();
    }
  });

  it("goes to exactly one of several that find a killed agent's lock one after the other", async () => {
    for (let round = 0; round < 40; round++) {
      await leaveDeadClaim();
      const attempts = Array.from({ length: 4 }, async (_, i) => {
        for (let turn = (i * round) % 11; turn > 0; turn--) {
          await nextTurn();
        }
        return acquire();
      });
      const results = await Promise.allSettled(attempts);
      expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
      await refusal();
      await release();
    }
  });

  it("stays with a holder that is stopped and cannot answer", async () => {
    const child = await holder();
    child.kill("SIGSTOP");
    expect((await refusal()).message).toContain("process unknown");
    await kill(child);
    await acquire();
  });

  it("leaves little behind in the folder", async () => {
    for (let round = 0; round < 3; round++) {
      await kill(await holder());
      await acquire();
      await release();
    }
    expect(readdirSync(folder.path).length).toBeLessThanOrEqual(2);
  });

  it("says so where the path of the folder is too long for it", async () => {
    const long = folder.at("x".repeat(100));
    mkdirSync(long);
    const error: unknown = await acquire(long).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(Failure);
    expect((error as Failure).message).toContain("too long a path");
  });
});
