import { Buffer } from "node:buffer";
import { err, ok, type Result } from "@sluice/quantity";
import { attributesBytes, readAttributes, writeAttributes } from "./attributes.ts";
import type { CodecError } from "./codec-error.ts";
import { LIMITS } from "./limits.ts";
import { type Attributes, MAX_SEVERITY, MAX_TIME_US, type RecordColumns } from "./record.ts";
import { MAX_VARINT_BYTES, VarintReader, writeSignedVarint, writeVarint } from "./varint.ts";

/**
 * The payload of a batch before compression, version 1:
 *
 *     bodies | times | severities | lengths | attributes | trailer
 *
 * Bodies come first so that an agent can read a file straight into the buffer and append the columns
 * behind it. The trailer is four u32 LE: the byte lengths of the four sections between bodies and
 * trailer; the bodies are what is left. PROTOCOL.md describes each section.
 *
 * The lengths are there only where a body holds an LF of its own. Elsewhere the LFs tell them, and a
 * batch of lines is 7 % smaller without.
 */
export const TRAILER_BYTES = 16;
const LF = 0x0a;

/** Encodes columns. The plain counterpart of `BatchBuilder`. Throws RangeError on invalid columns. */
export function encodeColumns(columns: RecordColumns): Buffer {
  const { count, bodies, bodyOffsets, timesUs, severities, attributes } = columns;
  if (count < 1 || count > LIMITS.batchRecords) throw new RangeError(`count ${count}`);
  const times = Buffer.alloc(count * MAX_VARINT_BYTES);
  const runs = Buffer.alloc(count * 2 + MAX_VARINT_BYTES);
  const lengths = Buffer.alloc(count * MAX_VARINT_BYTES);
  let [timesEnd, runsEnd, lengthsEnd] = [0, 0, 0];
  let previousUs = 0;
  let run = 0;
  for (let i = 0; i < count; i++) {
    const timeUs = timesUs[i] ?? NaN;
    const severity = severities[i] ?? NaN;
    const start = bodyOffsets[i] ?? NaN;
    const end = bodyOffsets[i + 1] ?? NaN;
    checkRecord(timeUs, severity, end - start - 1);
    if (bodies[end - 1] !== LF) throw new RangeError(`body ${i} is not followed by LF`);
    timesEnd = writeSignedVarint(times, timesEnd, timeUs - previousUs);
    previousUs = timeUs;
    lengthsEnd = writeVarint(lengths, lengthsEnd, end - start - 1);
    run++;
    if (severities[i + 1] !== severity || i + 1 === count) {
      runsEnd = writeVarint(runs, runsEnd, run);
      runs[runsEnd++] = severity;
      run = 0;
    }
  }
  if (bodyOffsets[0] !== 0 || bodyOffsets[count] !== bodies.length)
    throw new RangeError("the offsets do not span the bodies");
  const sections = [
    times.subarray(0, timesEnd),
    runs.subarray(0, runsEnd),
    lengths.subarray(0, countLineFeeds(bodies) === count ? 0 : lengthsEnd),
    encodeAttributes(attributes, count),
  ];
  const trailer = Buffer.alloc(TRAILER_BYTES);
  sections.forEach((section, i) => trailer.writeUInt32LE(section.length, i * 4));
  return Buffer.concat([bodies, ...sections, trailer]);
}

/** Throws RangeError unless the values are ones that a batch may hold. */
export function checkRecord(timeUs: number, severity: number, bodyBytes: number): void {
  if (!Number.isInteger(timeUs) || Math.abs(timeUs) > MAX_TIME_US)
    throw new RangeError(`time ${timeUs} is not a whole number of microseconds in range`);
  if (!(severity >= 0 && severity <= MAX_SEVERITY) || !Number.isInteger(severity))
    throw new RangeError(`severity ${severity} is not one of 0 to ${MAX_SEVERITY}`);
  if (!(bodyBytes >= 0 && bodyBytes <= LIMITS.recordBytes))
    throw new RangeError(`a body of ${bodyBytes} bytes`);
}

function encodeAttributes(
  attributes: ReadonlyArray<Attributes | undefined> | undefined,
  count: number,
): Buffer {
  const sizes = Array.from({ length: count }, (_, i) => attributesBytes(attributes?.[i] ?? {}));
  if (sizes.every((size) => size === 0)) return Buffer.alloc(0);
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const section = Buffer.alloc(total + count * MAX_VARINT_BYTES);
  let at = 0;
  sizes.forEach((size, i) => (at = writeAttributes(section, at, attributes?.[i], size)));
  return section.subarray(0, at);
}

/**
 * Decodes and checks a payload of `expectedCount` records. `bodies` is a view of `payload`; what is
 * allocated besides is bounded by `LIMITS`. Columns have one encoding, but for the order of a record's
 * attributes; any other is refused.
 */
export function decodeColumns(
  payload: Uint8Array,
  expectedCount: number,
): Result<RecordColumns, CodecError> {
  const count = expectedCount;
  if (!(count >= 1 && count <= LIMITS.batchRecords)) return tooLarge("the number of records");
  if (payload.length > LIMITS.payloadRawBytes) return tooLarge("the payload");
  const trailerAt = payload.length - TRAILER_BYTES;
  if (trailerAt < 0) return bad("the payload is shorter than its trailer");
  const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.length);
  const attributesAt = trailerAt - bytes.readUInt32LE(trailerAt + 12);
  const lengthsAt = attributesAt - bytes.readUInt32LE(trailerAt + 8);
  const severitiesAt = lengthsAt - bytes.readUInt32LE(trailerAt + 4);
  const timesAt = severitiesAt - bytes.readUInt32LE(trailerAt);
  if (timesAt < 0) return bad("the sections are longer than the payload");
  if (timesAt > LIMITS.batchRawBytes) return tooLarge("the bodies");

  const bodies = payload.subarray(0, timesAt);
  const timesUs = decodeTimes(bytes, timesAt, severitiesAt, count);
  if (timesUs === undefined) return bad("the times are malformed");
  const severities = decodeSeverities(bytes, severitiesAt, lengthsAt, count);
  if (severities === undefined) return bad("the severities are malformed");
  const bodyOffsets =
    lengthsAt === attributesAt
      ? findOffsets(bytes.subarray(0, timesAt), count)
      : decodeOffsets(bytes, lengthsAt, attributesAt, count, timesAt);
  if (bodyOffsets === undefined) return bad("the body lengths do not fit the bodies");
  if (attributesAt === trailerAt)
    return ok({ count, timesUs, severities, bodyOffsets, bodies, attributes: undefined });
  const attributes = readAttributes(bytes.subarray(attributesAt, trailerAt), count);
  if (typeof attributes === "string") return bad(attributes);
  return ok({ count, timesUs, severities, bodyOffsets, bodies, attributes });
}

function bad(detail: string): Result<never, CodecError> {
  return err({ code: "bad_columns", detail });
}

function tooLarge(what: string): Result<never, CodecError> {
  return err({ code: "limit_exceeded", detail: `${what} of a batch is out of bounds` });
}

function decodeTimes(
  bytes: Uint8Array,
  at: number,
  end: number,
  count: number,
): Float64Array | undefined {
  // A varint has at least one byte: checked before the array is allocated.
  if (end - at < count) return undefined;
  const timesUs = new Float64Array(count);
  const reader = new VarintReader(bytes, at, end);
  let timeUs = 0;
  for (let i = 0; i < count; i++) {
    timeUs += reader.readSigned();
    if (!(timeUs <= MAX_TIME_US && timeUs >= -MAX_TIME_US)) return undefined;
    timesUs[i] = timeUs;
  }
  return reader.atEnd ? timesUs : undefined;
}

function decodeSeverities(
  bytes: Uint8Array,
  at: number,
  end: number,
  count: number,
): Uint8Array | undefined {
  const severities = new Uint8Array(count);
  const reader = new VarintReader(bytes, at, end);
  let previous = -1;
  let filled = 0;
  while (filled < count) {
    const run = reader.read();
    const severity = reader.read();
    if (!(run >= 1 && run <= count - filled && severity <= MAX_SEVERITY)) return undefined;
    if (severity === previous) return undefined;
    if (run === 1) severities[filled] = severity;
    else severities.fill(severity, filled, filled + run);
    previous = severity;
    filled += run;
  }
  return reader.atEnd ? severities : undefined;
}

/** Bodies without an LF of their own end at the LFs, of which there are as many as records. */
function findOffsets(bodies: Buffer, count: number): Uint32Array | undefined {
  if (bodies.length < count) return undefined;
  const offsets = new Uint32Array(count + 1);
  let offset = 0;
  for (let i = 1; i <= count; i++) {
    const lf = bodies.indexOf(LF, offset);
    if (lf === -1 || lf - offset > LIMITS.recordBytes) return undefined;
    offset = lf + 1;
    offsets[i] = offset;
  }
  return offset === bodies.length ? offsets : undefined;
}

function countLineFeeds(bodies: Uint8Array): number {
  let count = 0;
  for (let at = bodies.indexOf(LF); at !== -1; at = bodies.indexOf(LF, at + 1)) count++;
  return count;
}

function decodeOffsets(
  bytes: Uint8Array,
  at: number,
  end: number,
  count: number,
  bodiesEnd: number,
): Uint32Array | undefined {
  if (end - at < count || bodiesEnd < count) return undefined;
  const offsets = new Uint32Array(count + 1);
  const reader = new VarintReader(bytes, at, end);
  let offset = 0;
  for (let i = 1; i <= count; i++) {
    const length = reader.read();
    if (!(length <= LIMITS.recordBytes)) return undefined;
    offset += length + 1;
    if (offset > bodiesEnd || bytes[offset - 1] !== LF) return undefined;
    offsets[i] = offset;
  }
  if (!reader.atEnd || offset !== bodiesEnd) return undefined;
  // Lengths that the LFs would tell as well are not the one encoding of these columns.
  return countLineFeeds(bytes.subarray(0, bodiesEnd)) > count ? offsets : undefined;
}
