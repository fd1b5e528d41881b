import type { Writable } from "node:stream";

const FLUSH_CHARS = 64 * 1024;

/**
 * Where a command's data goes. Small texts leave together; `drained` keeps to the reader's pace.
 * A reader that closes its end (`| head`) aborts `closed`, and nothing more is written.
 */
export class Sink {
  readonly #stream: Writable;
  readonly #closed = new AbortController();
  #text = "";

  constructor(stream: Writable) {
    this.#stream = stream;
    stream.on("error", (error: NodeJS.ErrnoException) => this.#closed.abort(error));
  }

  /** Aborted with the stream's error; EPIPE is a reader that has seen enough. */
  get closed(): AbortSignal {
    return this.#closed.signal;
  }

  write(part: string | Uint8Array): void {
    if (typeof part === "string") {
      this.#text += part;
      if (this.#text.length >= FLUSH_CHARS) {
        this.flush();
      }
    } else {
      this.flush();
      this.#send(part);
    }
  }

  flush(): void {
    const text = this.#text;
    this.#text = "";
    if (text !== "") {
      this.#send(text);
    }
  }

  /** Writes what is held, and waits until the stream takes more. Rejects when its reader has gone. */
  async drained(): Promise<void> {
    this.flush();
    if (this.#stream.writableNeedDrain) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#stream.once("drain", resolve);
      this.closed.addEventListener("abort", () => resolve(), { once: true });
      await promise;
      this.#stream.off("drain", resolve);
    }
    this.closed.throwIfAborted();
  }

  #send(part: string | Uint8Array): void {
    if (!this.closed.aborted) {
      this.#stream.write(part);
    }
  }
}

/** Whether an error says that the reader of our output went away. */
export function isClosedPipe(error: unknown): boolean {
  return (error as NodeJS.ErrnoException | undefined)?.code === "EPIPE";
}
