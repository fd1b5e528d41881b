import { Buffer } from "node:buffer";
import { attributesBytes, writeAttributes } from "./attributes.ts";
import { checkRecord, TRAILER_BYTES } from "./columns.ts";
import { LIMITS } from "./limits.ts";
import type { Attributes } from "./record.ts";
import { varintBytes, writeSignedVarint, writeVarint } from "./varint.ts";

const LF = 0x0a;
const TIME_BYTES = 8;
const RUN_BYTES = 2;
const LENGTH_BYTES = 3;

/**
 * Builds batch payloads over one buffer that it keeps for good.
 *
 * The caller puts bodies into `buffer` itself (a file read goes straight in), from offset 0, back to
 * back, each followed by one LF, and calls `add` for each. `finish` appends the columns directly
 * behind the last body added and returns the payload, a view of `buffer`: bytes that lie there, such
 * as the beginning of the next line, are overwritten, and the caller saves them before. The view is
 * good until the next write to `buffer`. After `finish`, only `reset` may follow.
 */
export class BatchBuilder {
  /** Bodies go to `[0, LIMITS.batchRawBytes)`; what lies behind is room for the columns. */
  readonly buffer: Buffer = Buffer.allocUnsafeSlow(LIMITS.payloadRawBytes);
  readonly #times: Buffer = Buffer.allocUnsafeSlow(LIMITS.batchRecords * TIME_BYTES);
  readonly #runs: Buffer = Buffer.allocUnsafeSlow(LIMITS.batchRecords * RUN_BYTES + TIME_BYTES);
  readonly #lengths: Buffer = Buffer.allocUnsafeSlow(LIMITS.batchRecords * LENGTH_BYTES);
  #attributes: Buffer | undefined;
  #count = 0;
  #bodiesEnd = 0;
  #timesEnd = 0;
  #runsEnd = 0;
  #lengthsEnd = 0;
  #keepsLengths = false;
  #attributesEnd = 0;
  #run = 0;
  #severity = 0;
  #timeUs = 0;
  #minTimeUs = Infinity;
  #maxTimeUs = -Infinity;
  #maxSeverity = 0;

  /** Records added. */
  get count(): number {
    return this.#count;
  }

  /** Bytes of the bodies added, LFs included: where the next body begins. */
  get bodiesBytes(): number {
    return this.#bodiesEnd;
  }

  /** Size of the payload that `finish` would return now. */
  get payloadBytes(): number {
    const runsBytes = this.#runsEnd + (this.#run > 0 ? varintBytes(this.#run) + 1 : 0);
    const lengthsBytes = this.#keepsLengths ? this.#lengthsEnd : 0;
    const columnsBytes = this.#timesEnd + runsBytes + lengthsBytes + this.#attributesEnd;
    return this.#bodiesEnd + columnsBytes + TRAILER_BYTES;
  }

  /** Largest severity number added; 0 where nothing was. */
  get maxSeverity(): number {
    return this.#maxSeverity;
  }

  /** Smallest event time added; Infinity where nothing was. */
  get minTimeUs(): number {
    return this.#minTimeUs;
  }

  /** Largest event time added; -Infinity where nothing was. */
  get maxTimeUs(): number {
    return this.#maxTimeUs;
  }

  /**
   * Adds the record whose body is `buffer[bodiesBytes .. bodyEnd)`, with an LF at `bodyEnd`. False,
   * and nothing is added, where the batch has no room for it; an empty batch has room for any record.
   * Throws RangeError on a body without its LF and on values that no record may have.
   */
  add(bodyEnd: number, timeUs: number, severity: number, attributes?: Attributes): boolean {
    const bodyBytes = bodyEnd - this.#bodiesEnd;
    checkRecord(timeUs, severity, bodyBytes);
    if (bodyEnd >= LIMITS.batchRawBytes || this.#count === LIMITS.batchRecords) return false;
    if (this.buffer[bodyEnd] !== LF) throw new RangeError(`no LF at ${bodyEnd}`);
    if ((attributes !== undefined || this.#attributesEnd > 0) && !this.#addAttributes(attributes))
      return false;
    this.#timesEnd = writeSignedVarint(this.#times, this.#timesEnd, timeUs - this.#timeUs);
    this.#timeUs = timeUs;
    this.#lengthsEnd = writeVarint(this.#lengths, this.#lengthsEnd, bodyBytes);
    if (severity !== this.#severity) this.#endRun(severity);
    this.#run++;
    if (timeUs < this.#minTimeUs) this.#minTimeUs = timeUs;
    if (timeUs > this.#maxTimeUs) this.#maxTimeUs = timeUs;
    if (severity > this.#maxSeverity) this.#maxSeverity = severity;
    this.#bodiesEnd = bodyEnd + 1;
    this.#count++;
    return true;
  }

  /**
   * Has the payload carry the lengths of its bodies, which it needs when (and has only when) a body
   * holds an LF of its own. Whoever adds such a body calls this; a decoder refuses what does not fit.
   */
  keepLengths(): void {
    this.#keepsLengths = true;
  }

  /** Appends the columns behind the bodies and returns the payload. Throws on an empty batch. */
  finish(): Buffer {
    if (this.#count === 0) throw new RangeError("a batch holds at least one record");
    this.#endRun(this.#severity);
    const buffer = this.buffer;
    let at = this.#bodiesEnd;
    at += this.#times.copy(buffer, at, 0, this.#timesEnd);
    at += this.#runs.copy(buffer, at, 0, this.#runsEnd);
    const lengthsEnd = this.#keepsLengths ? this.#lengthsEnd : 0;
    at += this.#lengths.copy(buffer, at, 0, lengthsEnd);
    at += this.#attributes?.copy(buffer, at, 0, this.#attributesEnd) ?? 0;
    buffer.writeUInt32LE(this.#timesEnd, at);
    buffer.writeUInt32LE(this.#runsEnd, at + 4);
    buffer.writeUInt32LE(lengthsEnd, at + 8);
    buffer.writeUInt32LE(this.#attributesEnd, at + 12);
    return buffer.subarray(0, at + TRAILER_BYTES);
  }

  /** Forgets every record; the bytes of `buffer` stay as they are. */
  reset(): void {
    this.#count = 0;
    this.#bodiesEnd = 0;
    this.#timesEnd = 0;
    this.#runsEnd = 0;
    this.#lengthsEnd = 0;
    this.#keepsLengths = false;
    this.#attributesEnd = 0;
    this.#run = 0;
    this.#severity = 0;
    this.#timeUs = 0;
    this.#minTimeUs = Infinity;
    this.#maxTimeUs = -Infinity;
    this.#maxSeverity = 0;
  }

  #endRun(nextSeverity: number): void {
    if (this.#run > 0) {
      this.#runsEnd = writeVarint(this.#runs, this.#runsEnd, this.#run);
      this.#runs[this.#runsEnd++] = this.#severity;
    }
    this.#run = 0;
    this.#severity = nextSeverity;
  }

  /** The section begins with the first record that has attributes: those before it get a 0 each. */
  #addAttributes(attributes: Attributes | undefined): boolean {
    const bytes = attributes === undefined ? 0 : attributesBytes(attributes);
    if (bytes === 0 && this.#attributesEnd === 0) return true;
    const at = this.#attributesEnd === 0 ? this.#count : this.#attributesEnd;
    if (at + varintBytes(bytes) + bytes > LIMITS.batchAttributesBytes) return false;
    this.#attributes ??= Buffer.allocUnsafeSlow(LIMITS.batchAttributesBytes);
    if (this.#attributesEnd === 0) this.#attributes.fill(0, 0, this.#count);
    this.#attributesEnd = writeAttributes(this.#attributes, at, attributes, bytes);
    return true;
  }
}
