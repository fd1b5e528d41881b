import { LIMITS } from "@sluice/protocol";
import type { ReadOutcome, StreamReader } from "@sluice/tail";

import { RecordSpan } from "./multiline/record-span.ts";
import { Silence } from "./multiline/silence.ts";
import type { MultilineSettings } from "./processing/processing-settings.ts";
import type { FeedOutcome, RecordFeed, SourceRecord } from "./record-feed.ts";
import { type LineEncoding, lineEncoding } from "./transcoder.ts";

/** One read; a buffer grows beyond it for a long line or record only. */
const READ_BYTES = 64 * 1024;

export interface LineFeedOptions {
  readonly multiline?: MultilineSettings | undefined;
  /** A label that `TextDecoder` knows; undefined ships the bytes as they are. */
  readonly encoding?: string | undefined;
}

/**
 * Lines of a stream of bytes as records, for streams that are processed. Only LF ends a line and is
 * stripped. Of a line longer than `LIMITS.recordBytes` that many bytes are kept; the rest is dropped
 * as it arrives.
 *
 * With an encoding, lines are found in it and given out as UTF-8; offsets stay those of the file.
 *
 * With `multiline`, lines that belong together are one record, their LFs between them: a range of the
 * buffer as any line is. It waits there for the line that begins the next, for the end of the stream,
 * for its bounds, or for silence; the cursor stays in front of it.
 */
export class LineFeed implements RecordFeed {
  readonly #reader: StreamReader;
  readonly #encoding: LineEncoding;
  readonly #span: RecordSpan | undefined;
  readonly #silence: Silence;
  #buffer: Buffer = Buffer.alloc(0);
  /** The bytes of `#buffer` that are read and not given out: the waiting record, then the beginning of a line. */
  #filled = 0;
  /** Where that line begins: behind the LF of the waiting record, 0 where none waits. */
  #lineStart = 0;
  /** Bytes dropped so far from that line; no record waits in front of it then. */
  #cutBytes = 0;
  /** Offset behind the last record that was given out. */
  #offset: number;
  /** What the reader said behind the bytes that are still to be given out. */
  #behind: Extract<ReadOutcome, { kind: "hole" | "ended" | "lost" }> | undefined;

  constructor(reader: StreamReader, { multiline, encoding }: LineFeedOptions = {}) {
    this.#reader = reader;
    this.#encoding = lineEncoding(encoding);
    this.#offset = reader.offset;
    this.#span = multiline === undefined ? undefined : new RecordSpan(multiline);
    this.#silence = new Silence(multiline?.maxWaitMs ?? 0);
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
          this.#silence.broken();
          const records = this.#split(outcome.length);
          if (records.length > 0) {
            return { kind: "records", records };
          }
          break;
        }
        case "idle":
          if (this.#isWaiting && this.#silence.isOver) {
            return { kind: "records", records: [this.#takeWaiting()] };
          }
          if (this.#filled === 0) {
            this.#buffer = Buffer.alloc(0); // Hundreds of quiet files then hold nothing.
          }
          return outcome;
        case "hole":
        case "ended":
        case "lost":
          this.#behind = outcome;
          if (this.bufferedBytes > 0) {
            return { kind: "records", records: this.#takeAll() };
          }
          break;
        default:
          outcome satisfies never;
      }
    }
  }

  changed(signal: AbortSignal): Promise<void> {
    return this.#isWaiting
      ? this.#silence.race((either) => this.#reader.changed(either), signal)
      : this.#reader.changed(signal);
  }

  get #isWaiting(): boolean {
    return this.#span?.isEmpty === false;
  }

  #makeRoom(): void {
    if (this.#buffer.length - this.#filled >= READ_BYTES / 2) {
      return;
    }
    const larger = Buffer.allocUnsafeSlow(this.#filled + READ_BYTES);
    this.#buffer.copy(larger, 0, 0, this.#filled);
    this.#buffer = larger;
  }

  /** The records that the newest `length` bytes complete. */
  #split(length: number): SourceRecord[] {
    const records: SourceRecord[] = [];
    const span = this.#span;
    const encoding = this.#encoding;
    const { lineFeedBytes } = encoding;
    const phase = this.#offset % lineFeedBytes;
    const end = this.#filled + length;
    /** Where the record at hand begins. */
    let start = 0;
    let lineStart = this.#lineStart;
    // A line feed of two bytes may have come in halves.
    let at = Math.max(lineStart, this.#filled - (lineFeedBytes - 1));
    for (;;) {
      const lf = encoding.indexOfLineFeed(this.#buffer, at, end, phase);
      if (lf === -1) {
        break;
      }
      const lineEnd = lf + lineFeedBytes;
      if (span === undefined) {
        records.push(this.#record(start, lf, lineFeedBytes));
        start = lineEnd;
      } else if (!span.join(this.#line(start, lineStart, lf), lf - start)) {
        if (!span.isEmpty) {
          records.push(this.#record(start, lineStart - lineFeedBytes, lineFeedBytes));
          start = lineStart;
        }
        span.begin();
        if (this.#cutBytes > 0) {
          records.push(this.#record(start, lf, lineFeedBytes));
          start = lineEnd;
          span.clear();
        }
      }
      lineStart = lineEnd;
      at = lineEnd;
    }
    if (span?.isEmpty === false && !span.hasRoomFor(end - start)) {
      // The line that is still arriving is too long to join it.
      records.push(this.#record(start, lineStart - lineFeedBytes, lineFeedBytes));
      start = lineStart;
      span.clear();
    }
    this.#keep(start, lineStart, end, records.length > 0);
    return records;
  }

  /** What stays of the buffer: from `start`, of which `lineStart` begins a line that ends behind `end`. */
  #keep(start: number, lineStart: number, end: number, isGivenOut: boolean): void {
    const { lineFeedBytes } = this.#encoding;
    const rest = end - lineStart;
    // Whole characters are dropped: half of one would shift all that follows.
    const phase = (this.#offset + lineStart - start) % lineFeedBytes;
    const half = (rest + phase) % lineFeedBytes;
    const kept = Math.min(rest, LIMITS.recordBytes - phase + half);
    this.#buffer.copyWithin(lineStart + kept - half, end - half, end);
    this.#cutBytes += rest - kept;
    // The records' bodies stay as they are: the rest goes into a buffer of its own.
    if (isGivenOut) {
      const fresh = Buffer.allocUnsafeSlow(lineStart - start + kept + READ_BYTES);
      this.#buffer.copy(fresh, 0, start, lineStart + kept);
      this.#buffer = fresh;
    }
    this.#lineStart = lineStart - start;
    this.#filled = this.#lineStart + kept;
  }

  /** The waiting record; the beginning of a line behind it stays. */
  #takeWaiting(): SourceRecord {
    const { lineFeedBytes } = this.#encoding;
    const record = this.#record(0, this.#lineStart - lineFeedBytes, lineFeedBytes);
    this.#span?.reset();
    this.#keep(this.#lineStart, this.#lineStart, this.#filled, true);
    return record;
  }

  /** Everything that was read, with a line that has no end; nothing that comes has to do with it. */
  #takeAll(): SourceRecord[] {
    const records: SourceRecord[] = [];
    const { lineFeedBytes } = this.#encoding;
    const lineStart = this.#lineStart;
    const lastLineEnd = lineStart - lineFeedBytes;
    const end = this.#filled;
    if (lineStart === 0) {
      records.push(this.#record(0, end, 0));
    } else if (lineStart === end) {
      records.push(this.#record(0, lastLineEnd, lineFeedBytes));
    } else if (this.#span?.join(this.#line(0, lineStart, end), end) === true) {
      records.push(this.#record(0, end, 0));
    } else {
      records.push(this.#record(0, lastLineEnd, lineFeedBytes), this.#record(lineStart, end, 0));
    }
    this.#span?.reset();
    this.#filled = 0;
    this.#lineStart = 0;
    return records;
  }

  /** The line at `[lineStart, end)` in UTF-8, of a record that begins at `start`. */
  #line(start: number, lineStart: number, end: number): Uint8Array {
    return this.#toUtf8(lineStart, end, this.#offset + lineStart - start);
  }

  /** At most `LIMITS.recordBytes` of `[start, end)`, which begins at `offset` of the file. */
  #toUtf8(start: number, end: number, offset: number): Uint8Array {
    // A reader that began in the middle of a character has its other half in front.
    const phase = offset % this.#encoding.lineFeedBytes;
    const raw = this.#buffer.subarray(start, Math.min(end, start + LIMITS.recordBytes - phase));
    return this.#encoding.toUtf8(raw.subarray(phase), offset === 0);
  }

  /** The record at `[start, end)`, which `lineEndBytes` of line end follow. */
  #record(start: number, end: number, lineEndBytes: number): SourceRecord {
    const body = this.#toUtf8(start, end, this.#offset);
    const bodyBytes = end - start + this.#cutBytes;
    const isWhole = this.#cutBytes === 0 && end - start <= LIMITS.recordBytes;
    const sourceBytes = bodyBytes + lineEndBytes;
    this.#cutBytes = 0;
    this.#offset += sourceBytes;
    const offset = this.#offset;
    const cursor = (): Uint8Array => this.#reader.cursorAt(offset);
    return isWhole
      ? { body, sourceBytes, offset, cursor }
      : { body, sourceBytes, offset, cursor, originalBytes: bodyBytes };
  }
}
