import { once } from "node:events";
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { LIMITS, type RejectedFrame } from "@sluice/protocol";
import { err, ok, type Result } from "@sluice/quantity";
import type { CursorLost, EntryOutcome, EntryReader, LogEntry } from "@sluice/tail";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { writeDeadEntries, writeDeadLetter } from "../src/dead-letter.ts";
import { Folder } from "./folder.ts";
import { cursorOf, MemoryReader } from "./memory-reader.ts";

let folder: Folder;
let letters: string;

beforeEach(() => {
  folder = new Folder();
  letters = folder.at("dead-letter");
});

afterEach(() => folder[Symbol.dispose]());

function entryOf(number: number): LogEntry {
  const cursor = cursorOf(number);
  return { body: Buffer.from(`entry ${number}`), timeUs: 0, priority: 6, attributes: {}, cursor };
}

/** Says what it is told to, and nothing then. */
class ScriptedEntries implements EntryReader {
  readonly kind = "entries";
  readonly stream = { source: "journald", generation: 1 };
  readonly behindBytes = 0;
  readonly hasBacklog = false;
  readonly #outcomes: EntryOutcome[];
  soughtTo: Uint8Array | undefined;

  constructor(outcomes: readonly EntryOutcome[]) {
    this.#outcomes = [...outcomes];
  }

  async seek(cursor: Uint8Array): Promise<Result<void, never>> {
    this.soughtTo = cursor;
    return ok(undefined);
  }

  async read(): Promise<EntryOutcome> {
    return this.#outcomes.shift() ?? { kind: "idle" };
  }

  async changed(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    await once(signal, "abort");
    throw signal.reason;
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

function rejected(toByte: number): RejectedFrame {
  return {
    ordinal: 4,
    firstSeq: 17,
    count: 2,
    cursorAfter: cursorOf(toByte),
    code: "bad_columns",
    detail: "",
  };
}

function names(): string[] {
  return readdirSync(letters).toSorted();
}

function totalBytes(): number {
  return names().reduce((sum, name) => sum + statSync(join(letters, name)).size, 0);
}

describe("a rejected batch", () => {
  it("is kept as the bytes it was made of, for its owner alone", async () => {
    const reader = new MemoryReader("before\none\ntwo\nbehind\n", () => 3);
    const range = await writeDeadLetter(letters, reader, cursorOf(7), rejected(15));
    expect(range).toEqual({ fromByte: 7, toByte: 15, bytes: 8 });
    const [name] = names();
    expect(name).toMatch(/-[0-9a-f]{8}-1-17\.log$/);
    const path = join(letters, name ?? "");
    expect(readFileSync(path, "utf8")).toBe("one\ntwo\n");
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(letters).mode & 0o777).toBe(0o700);
  });

  it("that cannot be read again is a gap of unknown range", async () => {
    class LostReader extends MemoryReader {
      override async seek(): Promise<Result<void, CursorLost>> {
        return err({ code: "cursor-lost", detail: "gone", knownBytes: undefined });
      }
    }
    const reader = new LostReader("one\n");
    expect(await writeDeadLetter(letters, reader, cursorOf(0), rejected(4))).toBe("unknown");
  });

  it("is kept as far as the file still goes", async () => {
    const reader = new MemoryReader("one\ntw");
    const range = await writeDeadLetter(letters, reader, cursorOf(0), rejected(8));
    expect(range).toEqual({ fromByte: 0, toByte: 8, bytes: 8 });
    expect(readFileSync(join(letters, names()[0] ?? ""), "utf8")).toBe("one\ntw");
  });

  it("with a line of any length takes no more than a batch's worth of memory and disk", async () => {
    const reader = new MemoryReader("y".repeat(LIMITS.framePayloadBytes + 1000));
    const bytes = LIMITS.framePayloadBytes + 1000;
    const range = await writeDeadLetter(letters, reader, cursorOf(0), rejected(bytes));
    expect(range).toEqual({ fromByte: 0, toByte: bytes, bytes });
    expect(totalBytes()).toBe(LIMITS.framePayloadBytes);
  });
});

describe("a rejected batch of a journal's entries", () => {
  const bodies = (): string[] => names().map((name) => readFileSync(join(letters, name), "utf8"));
  const { signal } = new AbortController();

  it("is kept as their bodies, up to the last one of it", async () => {
    const reader = new ScriptedEntries([
      { kind: "entries", entries: [entryOf(1), entryOf(2)] },
      { kind: "passed", cursor: cursorOf(2) },
      { kind: "entries", entries: [entryOf(3), entryOf(4)] },
    ]);
    await writeDeadEntries(letters, reader, cursorOf(0), rejected(3), signal);
    expect(reader.soughtTo).toEqual(cursorOf(0));
    expect(bodies()).toEqual(["entry 1\nentry 2\nentry 3\n"]);
  });

  it("is kept as far as they are still there", async () => {
    const lost = { kind: "gap", cause: "vacuumed", detail: "", cursor: cursorOf(9) } as const;
    const some = { kind: "entries", entries: [entryOf(1)] } as const;
    const reader = new ScriptedEntries([some, lost, { kind: "entries", entries: [entryOf(9)] }]);
    await writeDeadEntries(letters, reader, cursorOf(0), rejected(3), signal);
    expect(bodies()).toEqual(["entry 1\n"]);
  });

  it("is given up where the stream is repositioned meanwhile", async () => {
    const abort = new AbortController();
    const writing = writeDeadEntries(
      letters,
      new ScriptedEntries([]),
      cursorOf(0),
      rejected(3),
      abort.signal,
    );
    abort.abort(new Error("repositioned"));
    await expect(writing).rejects.toThrow("repositioned");
  });
});

describe("the folder of rejected batches", () => {
  it("stays under its cap, the oldest going first", async () => {
    mkdirSync(letters);
    const part = LIMITS.deadLetterBytes / 4;
    for (const name of ["1000-1-1.log", "1001-1-2.log", "1002-1-3.log", "1003-1-4.log"]) {
      writeFileSync(join(letters, name), "");
      truncateSync(join(letters, name), part); // Sparse: counts in full, takes no space.
    }
    const reader = new MemoryReader("one\n");
    await writeDeadLetter(letters, reader, cursorOf(0), rejected(4));
    expect(names().slice(0, 3)).toEqual(["1001-1-2.log", "1002-1-3.log", "1003-1-4.log"]);
    expect(names()).toHaveLength(4);
    expect(totalBytes()).toBeLessThanOrEqual(LIMITS.deadLetterBytes);
  });

  it("leaves files alone that it did not write", async () => {
    mkdirSync(letters);
    writeFileSync(join(letters, "README"), "");
    truncateSync(join(letters, "README"), LIMITS.deadLetterBytes + 1);
    const reader = new MemoryReader("one\n");
    await writeDeadLetter(letters, reader, cursorOf(0), rejected(4));
    expect(names()).toHaveLength(2);
  });

  it("takes letters of several streams at the same time", async () => {
    const ranges = await Promise.all(
      Array.from({ length: 20 }, (_, generation) => {
        const stream = { source: "/log", generation };
        const reader = new MemoryReader("one\ntwo\n", () => 1, stream);
        return writeDeadLetter(letters, reader, cursorOf(0), rejected(8));
      }),
    );
    expect(ranges).toHaveLength(20);
    expect(names()).toHaveLength(20);
  });

  it("takes letters of streams that are alike but for their path", async () => {
    await Promise.all(
      Array.from({ length: 20 }, (_, i) => {
        const reader = new MemoryReader("one\n", () => 4, { source: `/log/${i}`, generation: 1 });
        return writeDeadLetter(letters, reader, cursorOf(0), rejected(4));
      }),
    );
    expect(names()).toHaveLength(20);
  });
});
