import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it } from "vitest";

import { DeleteRemoval } from "../src/delete-removal.ts";
import type { StoreError } from "../src/errors.ts";
import { openStoreReader } from "../src/head-reader.ts";
import { Lease } from "../src/manifest/lease.ts";
import { Store } from "../src/store.ts";
import { Folder } from "./folder.ts";
import { batchFrame, messageOf } from "./frames.ts";

const AGENT = { agentId: "a-1", host: "web-1", version: "1.0.0", labels: {} };

/** A store with one stream, and the payloads of what was written to it. */
class Site implements AsyncDisposable {
  readonly folder = new Folder();
  readonly payloads: Uint8Array[] = [];
  #store: Store | undefined;
  #place = { epoch: 1, ordinal: 0, nextSeq: 0 };
  #committed: () => void = () => undefined;

  get store(): Store {
    if (this.#store === undefined) {
      throw new Error("the store is closed");
    }
    return this.#store;
  }

  async open(): Promise<this> {
    this.#store = await Store.open(this.folder.path, {
      committed: () => this.#committed(),
      failed: (error) => {
        throw error;
      },
      full: () => undefined,
      noticed: () => undefined,
    });
    const { agent } = await this.store.introduce(AGENT);
    const stream = { stream: 0, source: "/log", generation: 1, labels: {} };
    const opening = { ...stream, initialCursor: new Uint8Array() };
    const [place] = await this.store.openStreams(1, agent, AGENT.host, [opening]);
    if (place !== undefined) {
      this.#place = place;
    }
    return this;
  }

  async write(...bodies: readonly string[]): Promise<void> {
    const { epoch, ordinal, nextSeq } = this.#place;
    const frame = batchFrame(
      { epoch, ordinal, firstSeq: nextSeq },
      bodies.map((body) => ({ body })),
    );
    this.payloads.push(frame.payload);
    this.#place = { epoch, ordinal: ordinal + 1, nextSeq: nextSeq + bodies.length };
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#committed = resolve;
    this.store.append(1, messageOf(frame));
    await promise;
  }

  async close(): Promise<void> {
    await this.#store?.[Symbol.asyncDispose]();
    this.#store = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
    this.folder[Symbol.dispose]();
  }
}

function order(query: string) {
  return { query, fromUs: undefined, untilUs: undefined, issuedUs: Date.now() * 1000 };
}

/** Names of files under a folder in which a piece of some bytes stands, wherever it is cut. */
function filesWith(folder: string, bytes: Uint8Array): string[] {
  const pieces: Buffer[] = [];
  for (let at = 0; at + 40 <= bytes.length; at += 160) {
    pieces.push(Buffer.from(bytes.subarray(at, at + 40)));
  }
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => {
      const file = readFileSync(path);
      return pieces.some((piece) => file.includes(piece));
    });
}

async function count(dataDir: string, query: string): Promise<number> {
  await using reader = openStoreReader(dataDir);
  const request = { query, order: "time", reverse: false, deadlineMs: 10_000 } as const;
  const run = reader.search(request, new AbortController().signal);
  for await (const _ of run) {
    // Only its summary is wanted.
  }
  return (await run.summary).rows;
}

function secret(bytes: number): string {
  return `secret ${randomBytes(bytes).toString("base64")}`;
}

describe("taking deleted records out of the files", { timeout: 30_000 }, () => {
  it("leaves no piece of their payloads: not in the head's pages nor in its log, and no old segment", async () => {
    await using site = await new Site().open();
    const { store, folder, payloads } = site;
    await site.write(secret(30_000)); // goes through a segment, its pages in the head free already
    await store.compact();
    await site.write(secret(90), "keep"); // small enough to stand in a page with others
    await site.write(secret(50_000));
    await site.write(secret(2_000));
    expect(filesWith(folder.path, payloads[2] ?? randomBytes(400))).not.toEqual([]);
    await store.delete(order("secret"));
    await site.write("arrives meanwhile");
    await store.removeDeleted();
    for (const payload of payloads.slice(0, 4)) {
      expect(filesWith(folder.path, payload)).toEqual([]);
    }
    expect(await count(folder.path, "secret")).toBe(0);
    expect(await count(folder.path, "*")).toBe(2);
  });

  it("is told as a job: how many, how long, of which query", async () => {
    await using site = await new Site().open();
    await site.write("secret one", "keep", "secret two");
    await site.store.delete({ ...order("secret"), fromUs: 0 });
    await site.store.removeDeleted();
    await using reader = openStoreReader(site.folder.path);
    const job = reader.jobs().at(-1);
    expect(job).toMatchObject({ kind: "delete", outcome: { records: 2 } });
    expect(job?.detail).toBe("secret, from 1970-01-01T00:00:00.000000Z");
  });

  it("goes on by itself where a stop has come between the order and its end", async () => {
    await using site = await new Site().open();
    await site.write("secret one", "keep");
    await site.store.compact();
    await site.store.delete(order("secret"));
    await site.close();
    await site.open();
    await using reader = openStoreReader(site.folder.path);
    while (!reader.jobs().some(({ kind }) => kind === "delete")) {
      await delay(20);
    }
    expect(reader.stats()).toMatchObject({ records: 1 });
  });

  it("keeps what an answer's next page may still ask for until then, and is not done before", async () => {
    await using site = await new Site().open();
    await site.write("secret", "keep");
    await site.store.compact();
    const [first] = readdirSync(site.folder.at("segments"), { recursive: true })
      .map(String)
      .filter((name) => name.endsWith(".db"));
    await using reader = openStoreReader(site.folder.path);
    const lease = Lease.take(site.folder.path, 1, Date.now() + 60_000);
    await site.store.delete(order("secret"));
    const done = site.store.removeDeleted();
    const files = (): string[] =>
      readdirSync(site.folder.at("segments"), { recursive: true })
        .map(String)
        .filter((name) => name.endsWith(".db"));
    while (files().length < 2) {
      await delay(20);
    }
    expect(files()).toContain(first);
    expect(reader.jobs().filter(({ kind }) => kind === "delete")).toEqual([]);
    lease[Symbol.dispose]();
    await done;
    expect(files()).toHaveLength(1);
    expect(files()).not.toContain(first);
  });

  it("takes only what was looked at, where more has arrived since", async () => {
    await using site = await new Site().open();
    await site.write("secret early");
    const { receivedUs, highWater } = await site.store.closeReceipts();
    expect(highWater).toBe(1);
    await site.write("secret late");
    const issued = await site.store.delete({ ...order("secret"), receivedUs });
    expect(issued.receivedUs).toBe(receivedUs);
    expect(await count(site.folder.path, "early")).toBe(0);
    await site.store.removeDeleted();
    expect(await count(site.folder.path, "late")).toBe(1);
  });
});

it.runIf(process.platform === "linux")(
  "a thread that has searched lets go of a segment that is gone, though nobody searches again",
  { timeout: 30_000 },
  async () => {
    await using site = await new Site().open();
    await using reader = openStoreReader(site.folder.path);
    await site.write("secret", "keep");
    await site.store.compact();
    const request = { query: "secret", order: "time", reverse: false, deadlineMs: 9_000 } as const;
    await reader.search(request, new AbortController().signal)[Symbol.asyncIterator]().next();
    expect(openFiles(site.folder.path)).not.toEqual([]);
    await site.store.delete(order("secret"));
    await site.store.removeDeleted();
    while (openFiles(site.folder.path).some((path) => path.endsWith("(deleted)"))) {
      await delay(50);
    }
  },
);

/** Segments that this process has open. */
function openFiles(folder: string): string[] {
  return readdirSync("/proc/self/fd")
    .map((fd) => {
      try {
        return readlinkSync(join("/proc/self/fd", fd));
      } catch {
        return ""; // closed meanwhile
      }
    })
    .filter((path) => path.startsWith(join(folder, "segments")));
}

describe("a removal that fails", () => {
  it("says so, and is begun again by the next one who asks", async () => {
    const failures: StoreError[] = [];
    let attempts = 0;
    await using removal = new DeleteRemoval(
      {
        maintenance: {
          takeOutDeleted: async () => {
            attempts += 1;
            if (attempts === 1) {
              throw new Error("no room");
            }
            return undefined;
          },
        },
        space: { settle: async () => undefined, wipe: async () => undefined },
        writer: { swap: async () => ({ ok: true, version: 1 }) },
        failed: (error) => failures.push(error),
      },
      true,
    );
    removal.look();
    while (failures.length === 0) {
      await delay(1);
    }
    expect(failures[0]?.message).toContain("no room");
    removal.look(); // not at once
    expect(attempts).toBe(1);
    await removal.settle();
    expect(attempts).toBe(2);
  });
});
