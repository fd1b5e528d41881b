import { setImmediate as nextTurn } from "node:timers/promises";
import { err, ok, type Result } from "@sluice/quantity";
import type { CursorLost, ReadOutcome, StreamKey, StreamReader } from "@sluice/tail";

import { decodeStreamCursor } from "../src/stream-ledger.ts";

/** Each of so many calls takes a turn of the loop, as one that goes to a disk does. */
const SLOW_CALLS = 4;

/** The cursor of a byte offset, in the fakes of these tests. */
export function cursorOf(offset: number): Uint8Array {
  return new TextEncoder().encode(`@${offset}`);
}

export function offsetOf(cursor: Uint8Array): number {
  // A cursor that travelled has the ledger in front of it.
  return Number(new TextDecoder().decode(decodeStreamCursor(cursor).source).slice(1));
}

/** A reader over bytes in memory, which arrive in reads of any size. Keeps to the contract of `StreamReader`. */
export class MemoryReader implements StreamReader {
  readonly kind = "bytes";
  readonly stream: StreamKey;
  readonly #nextReadBytes: () => number;
  #content: Buffer;
  #end: Extract<ReadOutcome, { kind: "idle" | "ended" | "lost" }> = { kind: "idle" };
  #offset = 0;
  #from = 0;
  #isBusy = false;
  #calls = 0;
  #wake: () => void = () => undefined;
  #isAwaited = false;
  #awaited: () => void = () => undefined;
  isDisposed = false;
  /** Passed over when a read comes to stand in front of it. */
  hole: { readonly offset: number; readonly length: number } | undefined;

  /** Set when no file answers to a cursor any more. */
  isGone = false;

  /** Reads at these offsets or behind fail, each once. */
  failsAt: readonly number[] = [];

  constructor(
    content: Uint8Array | string = "",
    nextReadBytes: () => number = () => Number.POSITIVE_INFINITY,
    stream: StreamKey = { source: "/var/log/app.log", generation: 1 },
  ) {
    this.#content = Buffer.from(content as string);
    this.#nextReadBytes = nextReadBytes;
    this.stream = stream;
  }

  get offset(): number {
    return this.#offset;
  }

  get behindBytes(): number {
    return this.#content.length - this.#offset;
  }

  async head(length: number): Promise<Uint8Array> {
    return this.#content.subarray(0, length);
  }

  append(content: Uint8Array | string): void {
    this.#content = Buffer.concat([this.#content, Buffer.from(content as string)]);
    this.#isAwaited = false;
    this.#wake();
  }

  /** Resolves when everything was read and taken, and more is waited for. */
  async caughtUp(): Promise<void> {
    while (!this.#isAwaited) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#awaited = resolve;
      await promise;
    }
  }

  /** Behind its last byte the stream says this from now on. */
  end(outcome: Extract<ReadOutcome, { kind: "ended" | "lost" }>): void {
    this.#end = outcome;
    this.#wake();
  }

  async seek(cursor: Uint8Array): Promise<Result<void, CursorLost>> {
    return this.#alone(() => {
      if (this.isGone) {
        return err({ code: "cursor-lost", detail: "it is gone", knownBytes: undefined });
      }
      this.#offset = offsetOf(cursor);
      this.#from = this.#offset;
      return ok(undefined);
    });
  }

  async read(target: Uint8Array, at: number, signal: AbortSignal): Promise<ReadOutcome> {
    signal.throwIfAborted();
    if (at >= target.length) {
      throw new RangeError("a read into nothing");
    }
    return this.#alone(() => {
      const offset = this.#offset;
      const [failsAt = Infinity, ...failsLater] = this.failsAt;
      if (failsAt <= offset) {
        this.failsAt = failsLater;
        throw new Error("EIO: i/o error, read");
      }
      if (this.hole?.offset === offset) {
        const hole = this.hole;
        this.#offset += hole.length;
        return { kind: "hole", ...hole };
      }
      const length = Math.min(target.length - at, this.behindBytes, this.#nextReadBytes());
      if (this.behindBytes === 0) {
        return this.#end;
      }
      target.set(this.#content.subarray(offset, offset + length), at);
      this.#offset += length;
      return { kind: "bytes", offset, length };
    });
  }

  async changed(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.behindBytes > 0 || this.#end.kind !== "idle") {
      return;
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#wake = resolve;
    signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
    this.#isAwaited = true;
    this.#awaited();
    await promise;
  }

  cursorAt(offset: number): Uint8Array {
    if (offset < this.#from || offset > this.#offset) {
      throw new RangeError(`${offset} is not between ${this.#from} and ${this.#offset}`);
    }
    return cursorOf(offset);
  }

  /** The contract allows one call at a time, and each takes a while. */
  async #alone<T>(work: () => T): Promise<T> {
    if (this.#isBusy) {
      throw new Error("a second call while one is under way");
    }
    this.#isBusy = true;
    try {
      this.#calls += 1;
      await (this.#calls % SLOW_CALLS === 0 ? nextTurn() : Promise.resolve());
      return work();
    } finally {
      this.#isBusy = false;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.isDisposed = true;
  }
}
