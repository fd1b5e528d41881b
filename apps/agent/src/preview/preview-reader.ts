import { ok, type Result } from "@sluice/quantity";
import type { ReadOutcome, StreamKey, StreamReader } from "@sluice/tail";

/** What is put into it, as a stream: a preview frames with the feed that ships, over bytes that nobody acknowledges. */
export class PreviewReader implements StreamReader {
  readonly kind = "bytes";
  readonly stream: StreamKey;
  readonly #chunks: Uint8Array[] = [];
  #offset: number;
  #isEnded = false;
  #wake: () => void = () => undefined;

  /** @param offset where in the file the first byte stands */
  constructor(path: string, offset: number) {
    this.#offset = offset;
    this.stream = { source: path, generation: 1 };
  }

  get offset(): number {
    return this.#offset;
  }

  get behindBytes(): number {
    return this.#chunks.reduce((sum, { length }) => sum + length, 0);
  }

  push(bytes: Uint8Array): void {
    if (bytes.length > 0) {
      this.#chunks.push(bytes);
      this.#wake();
    }
  }

  end(): void {
    this.#isEnded = true;
    this.#wake();
  }

  /** The preview has looked at the file's beginning itself. */
  async head(): Promise<Uint8Array> {
    return new Uint8Array();
  }

  async seek(): Promise<Result<void, never>> {
    return ok(undefined);
  }

  async read(target: Uint8Array, at: number, signal: AbortSignal): Promise<ReadOutcome> {
    signal.throwIfAborted();
    const [chunk] = this.#chunks;
    if (chunk === undefined) {
      return this.#isEnded ? { kind: "ended", reason: "rotated" } : { kind: "idle" };
    }
    const length = Math.min(chunk.length, target.length - at);
    target.set(chunk.subarray(0, length), at);
    if (length === chunk.length) {
      this.#chunks.shift();
    } else {
      this.#chunks[0] = chunk.subarray(length);
    }
    const offset = this.#offset;
    this.#offset += length;
    return { kind: "bytes", offset, length };
  }

  async changed(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#chunks.length > 0 || this.#isEnded) {
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const onAbort = (): void => reject(signal.reason as Error);
      signal.addEventListener("abort", onAbort, { once: true });
      this.#wake = () => {
        signal.removeEventListener("abort", onAbort);
        resolve();
      };
    });
  }

  /** Nobody resumes a preview. */
  cursorAt(): Uint8Array {
    return new Uint8Array();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.end();
  }
}
