import { LIMITS } from "@sluice/protocol";
import type { ReadOutcome, StreamReader } from "@sluice/tail";

import type { FeedOutcome, RecordFeed, SourceRecord } from "./record-feed.ts";
import { Transcoder } from "./transcoder.ts";

const LF = 0x0a;
/** For bytes that are shipped as they are. */
const AS_THEY_ARE = {
  lineFeedBytes: 1,
  indexOfLineFeed: (bytes: Uint8Array, from: number, end: number): number =>
    bytes.subarray(0, end).indexOf(LF, from),
} as const;
/** One read; a buffer grows beyond it for a long line only. */
const READ_BYTES = 64 * 1024;

/**
 * Lines of a stream of bytes as records, for streams that are processed. Only LF ends a line and is
 * stripped. With an encoding, lines are found in it and given out as UTF-8; offsets stay those of the
 * file. Of a line longer than `LIMITS.recordBytes` that many bytes are kept; the rest is dropped
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

  readonly #transcoder: Transcoder | undefined;

  /** @param encoding a label that `TextDecoder` knows; undefined ships the bytes as they are */
  constructor(reader: StreamReader, encoding?: string) {
    this.#reader = reader;
    this.#transcoder = encoding === undefined ? undefined : new Transcoder(encoding);
    this.#offset = reader.offset;
  }

  get bufferedBytes(): number {
    return this.#filled + this.#cutBytes;
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
    const lines = this.#transcoder ?? AS_THEY_ARE;
    const { lineFeedBytes } = lines;
    // A line feed of two bytes may have come in halves.
    let at = Math.max(0, this.#filled - (lineFeedBytes - 1));
    const phase = this.#offset % lineFeedBytes;
    let start = 0;
    for (;;) {
      const lf = lines.indexOfLineFeed(buffer, at, end, phase);
      if (lf === -1) {
        break;
      }
      records.push(this.#record(start, lf, lineFeedBytes));
      start = lf + lineFeedBytes;
      at = start;
    }
    const rest = end - start;
    // Whole characters are dropped: half of one would shift all that follows.
    const restPhase = this.#offset % lineFeedBytes;
    const half = (rest + restPhase) % lineFeedBytes;
    const kept = Math.min(rest, LIMITS.recordBytes - restPhase + half);
    buffer.copyWithin(start + kept - half, end - half, end);
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
    const transcoder = this.#transcoder;
    // A reader that began in the middle of a character has its other half in front.
    const phase = this.#offset % (transcoder?.lineFeedBytes ?? 1);
    const raw = this.#buffer.subarray(start, Math.min(end, start + LIMITS.recordBytes - phase));
    const body = transcoder?.toUtf8(raw.subarray(phase), this.#offset === 0) ?? raw;
    const sourceBytes = bodyBytes + lineEndBytes;
    this.#cutBytes = 0;
    this.#offset += sourceBytes;
    const offset = this.#offset;
    const cursor = (): Uint8Array => this.#reader.cursorAt(offset);
    return raw.length === bodyBytes
      ? { body, sourceBytes, cursor }
      : { body, sourceBytes, cursor, originalBytes: bodyBytes };
  }
}
