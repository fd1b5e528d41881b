import { LIMITS } from "@sluice/protocol";
import type { ReadOutcome, StreamReader } from "@sluice/tail";

import type { FeedOutcome, RecordFeed, SourceRecord } from "./record-feed.ts";

const LF = 0x0a;
/** One read; a buffer grows beyond it for a long line only. */
const READ_BYTES = 64 * 1024;

/**
 * Lines of a stream of bytes as records, for streams that are processed. Only LF ends a line and is
 * stripped. Of a line longer than `LIMITS.recordBytes` that many bytes are kept; the rest is dropped
 * as it arrives.
 */
export class LineFeed implements RecordFeed {
  readonly #reader: StreamReader;
  #buffer: Buffer = Buffer.alloc(0);
  /** The bytes of `#buffer` that are read and not given out: the beginning of a line. */
  #filled = 0;
  /** Bytes dropped so far from that line. */
  #cutBytes = 0;
  /** Offset behind the last record that was given out. */
  #offset: number;
  /** What the reader said behind the bytes that are still to be given out. */
  #behind: Extract<ReadOutcome, { kind: "hole" | "ended" | "lost" }> | undefined;

  constructor(reader: StreamReader) {
    this.#reader = reader;
    this.#offset = reader.offset;
  }

  get bufferedBytes(): number {
    return this.#filled + this.#cutBytes;
  }

  get behindBytes(): number {
    return this.#reader.behindBytes;
  }

  cursor(): Uint8Array {
    return this.#reader.cursorAt(this.#offset);
  }

  async read(signal: AbortSignal): Promise<FeedOutcome> {
    for (;;) {
      const behind = this.#behind;
      if (behind !== undefined) {
        this.#behind = undefined;
        this.#offset = this.#reader.offset;
        return behind;
      }
      this.#makeRoom();
      const outcome = await this.#reader.read(this.#buffer, this.#filled, signal);
      switch (outcome.kind) {
        case "bytes": {
          const records = this.#split(outcome.length);
          if (records.length > 0) {
            return { kind: "records", records };
          }
          break;
        }
        case "idle":
          if (this.#filled === 0) {
            this.#buffer = Buffer.alloc(0); // Hundreds of quiet files then hold nothing.
          }
          return outcome;
        case "hole":
        case "ended":
        case "lost":
          this.#behind = outcome;
          if (this.bufferedBytes > 0) {
            return { kind: "records", records: [this.#takeUnterminated()] };
          }
          break;
        default:
          outcome satisfies never;
      }
    }
  }

  changed(signal: AbortSignal): Promise<void> {
    return this.#reader.changed(signal);
  }

  #makeRoom(): void {
    if (this.#buffer.length - this.#filled >= READ_BYTES / 2) {
      return;
    }
    const larger = Buffer.allocUnsafeSlow(this.#filled + READ_BYTES);
    this.#buffer.copy(larger, 0, 0, this.#filled);
    this.#buffer = larger;
  }

  /** The lines that the newest `length` bytes complete. */
  #split(length: number): SourceRecord[] {
    const records: SourceRecord[] = [];
    const end = this.#filled + length;
    const buffer = this.#buffer;
    let start = 0;
    let at = this.#filled;
    for (;;) {
      const lf = buffer.subarray(0, end).indexOf(LF, at);
      if (lf === -1) {
        break;
      }
      records.push(this.#record(start, lf, 1));
      start = lf + 1;
      at = start;
    }
    const rest = end - start;
    const kept = Math.min(rest, LIMITS.recordBytes);
    this.#cutBytes += rest - kept;
    // The records' bodies stay as they are: the rest goes into a buffer of its own.
    if (records.length > 0) {
      const fresh = Buffer.allocUnsafeSlow(kept + READ_BYTES);
      buffer.copy(fresh, 0, start, start + kept);
      this.#buffer = fresh;
    }
    this.#filled = kept;
    return records;
  }

  #takeUnterminated(): SourceRecord {
    const record = this.#record(0, this.#filled, 0);
    this.#filled = 0;
    return record;
  }

  /** The line at `[start, end)`, which `lineEndBytes` of line end follow. */
  #record(start: number, end: number, lineEndBytes: number): SourceRecord {
    const bodyBytes = end - start + this.#cutBytes;
    const body = this.#buffer.subarray(start, Math.min(end, start + LIMITS.recordBytes));
    const sourceBytes = bodyBytes + lineEndBytes;
    this.#cutBytes = 0;
    this.#offset += sourceBytes;
    const offset = this.#offset;
    const cursor = (): Uint8Array => this.#reader.cursorAt(offset);
    return body.length === bodyBytes
      ? { body, sourceBytes, cursor }
      : { body, sourceBytes, cursor, originalBytes: bodyBytes };
  }
}
