import { ok, type Result } from "@sluice/quantity";
import type { CursorLost, ReadOutcome, StreamKey, StreamReader } from "@sluice/tail";

/** The cursor of a byte offset, in the fakes of these tests. */
export function cursorOf(offset: number): Uint8Array {
  return new TextEncoder().encode(`@${offset}`);
}

export function offsetOf(cursor: Uint8Array): number {
  return Number(new TextDecoder().decode(cursor).slice(1));
}

/** A reader over bytes in memory, which arrive in reads of any size. Keeps to the contract of `StreamReader`. */
export class MemoryReader implements StreamReader {
  readonly stream: StreamKey;
  readonly #nextReadBytes: () => number;
  #content: Buffer;
  #end: Extract<ReadOutcome, { kind: "idle" | "ended" | "lost" }> = { kind: "idle" };
  #offset = 0;
  #from = 0;
  #wake: () => void = () => undefined;
  /** Each `changed` that is waited for: the pump has caught up. */
  idles = 0;
  isDisposed = false;

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

  append(content: Uint8Array | string): void {
    this.#content = Buffer.concat([this.#content, Buffer.from(content as string)]);
    this.#wake();
  }

  /** Behind its last byte the stream says this from now on. */
  end(outcome: Extract<ReadOutcome, { kind: "ended" | "lost" }>): void {
    this.#end = outcome;
    this.#wake();
  }

  async seek(cursor: Uint8Array): Promise<Result<void, CursorLost>> {
    this.#offset = offsetOf(cursor);
    this.#from = this.#offset;
    return ok(undefined);
  }

  async read(target: Uint8Array, at: number, signal: AbortSignal): Promise<ReadOutcome> {
    signal.throwIfAborted();
    if (at >= target.length) {
      throw new RangeError("a read into nothing");
    }
    const offset = this.#offset;
    const room = Math.min(target.length - at, this.behindBytes, this.#nextReadBytes());
    if (this.behindBytes === 0) {
      return this.#end;
    }
    target.set(this.#content.subarray(offset, offset + room), at);
    this.#offset += room;
    return { kind: "bytes", offset, length: room };
  }

  async changed(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    this.idles += 1;
    if (this.behindBytes > 0 || this.#end.kind !== "idle") {
      return;
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#wake = resolve;
    signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
    await promise;
  }

  cursorAt(offset: number): Uint8Array {
    if (offset < this.#from || offset > this.#offset) {
      throw new RangeError(`${offset} is not between ${this.#from} and ${this.#offset}`);
    }
    return cursorOf(offset);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.isDisposed = true;
  }
}
