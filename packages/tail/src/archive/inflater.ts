import { createGunzip, createZstdDecompress } from "node:zlib";
import type { OpenFile } from "../open-file.ts";
import type { ArchiveFormat } from "../rotation.ts";

const INPUT_BYTES = 64 * 1024;
/** Inflated bytes that wait to be taken; more stay in the decoder. */
const QUEUE_BYTES = 256 * 1024;

/**
 * Where inflating stops: at the end, where the file ends too early (it is still being written, or
 * was cut), or where it cannot be read as what a compressor writes.
 */
export type InflateStop = "end" | "cut" | "corrupt";

/** Inflates a compressed file from its beginning, as fast as its bytes are taken, in bounded memory. */
export class Inflater {
  readonly #file: OpenFile;
  readonly #format: ArchiveFormat;
  #decoder: ReturnType<typeof createDecoder> | undefined;
  /** Compressed bytes that were handed to decoders. */
  #inputOffset = 0;
  /** Where the decoder at hand began. */
  #decoderOffset = 0;
  readonly #queue: Buffer[] = [];
  #queuedBytes = 0;
  #stop: InflateStop | undefined;
  #wake: (() => void) | undefined;

  constructor(file: OpenFile, format: ArchiveFormat) {
    this.#file = file;
    this.#format = format;
  }

  /** Compressed bytes that are not inflated yet. */
  get aheadBytes(): number {
    if (this.#file.closed) return 0;
    return Math.max(0, this.#file.stat().sizeBytes - this.#inputOffset);
  }

  /** Fills `target`'s beginning; less than all of it only where nothing more is at hand. */
  async read(target: Uint8Array): Promise<number | InflateStop> {
    while (this.#queue.length === 0) {
      if (this.#stop !== undefined) return this.#stop;
      if (this.#decoder === undefined) this.#begin();
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        this.#decoder?.resume();
      });
    }
    let filled = 0;
    for (let chunk = this.#queue[0]; chunk !== undefined; chunk = this.#queue[0]) {
      const part = chunk.subarray(0, target.length - filled);
      target.set(part, filled);
      filled += part.length;
      if (part.length < chunk.length) {
        this.#queue[0] = chunk.subarray(part.length);
        break;
      }
      this.#queue.shift();
    }
    this.#queuedBytes -= filled;
    return filled;
  }

  close(): void {
    this.#stop ??= "cut";
    this.#decoder?.destroy();
  }

  #begin(): void {
    const decoder = createDecoder(this.#format);
    this.#decoder = decoder;
    this.#decoderOffset = this.#inputOffset;
    // Listened to and not iterated: what was inflated before an error is still handed out.
    decoder.on("data", (chunk: Buffer) => {
      this.#queue.push(chunk);
      this.#queuedBytes += chunk.length;
      if (this.#queuedBytes >= QUEUE_BYTES) decoder.pause();
      this.#wake?.();
    });
    decoder.on("error", (error: NodeJS.ErrnoException) => {
      this.#stopAt(error.code === "Z_BUF_ERROR" ? "cut" : "corrupt");
    });
    decoder.on("end", () => this.#endFrame(decoder.bytesWritten));
    // A disk that does not give the bytes is no better than bytes that are none.
    this.#feed(decoder).catch(() => this.#stopAt("corrupt"));
  }

  /** A decoder of zstd stops behind one frame, one of gzip behind the last member. */
  #endFrame(consumedBytes: number): void {
    const end = this.#decoderOffset + consumedBytes;
    if (this.#format === "gz" || end >= this.#file.stat().sizeBytes) return this.#stopAt("end");
    if (consumedBytes === 0) return this.#stopAt("corrupt");
    this.#inputOffset = end;
    if (this.#stop === undefined) this.#begin();
  }

  async #feed(decoder: ReturnType<typeof createDecoder>): Promise<void> {
    const input = Buffer.allocUnsafeSlow(INPUT_BYTES);
    let offset = this.#decoderOffset;
    for (;;) {
      const got = await this.#file.readInto([input], offset);
      if (decoder !== this.#decoder || decoder.destroyed || decoder.readableEnded) return;
      if (got === 0) {
        decoder.end();
        return;
      }
      offset += got;
      this.#inputOffset = offset;
      // Called when the decoder has taken it all; after an error or the end it never is.
      await new Promise<void>((resolve) => {
        decoder.once("close", resolve);
        decoder.write(input.subarray(0, got), () => {
          decoder.off("close", resolve);
          resolve();
        });
      });
      // Whoever closes the inflater may close the file as well.
      if (decoder.destroyed) return;
    }
  }

  #stopAt(stop: InflateStop): void {
    this.#stop ??= stop;
    this.#wake?.();
  }
}

/** Up to `length` of the first bytes; none where it cannot be inflated. */
export async function inflatedHead(
  file: OpenFile,
  format: ArchiveFormat,
  length: number,
): Promise<Uint8Array> {
  const target = new Uint8Array(length);
  const inflater = new Inflater(file, format);
  const got = await inflater.read(target);
  inflater.close();
  return typeof got === "number" ? target.subarray(0, got) : new Uint8Array();
}

function createDecoder(format: ArchiveFormat) {
  return format === "gz" ? createGunzip() : createZstdDecompress();
}
