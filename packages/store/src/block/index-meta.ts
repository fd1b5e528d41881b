/* oxlint-disable typescript/no-non-null-assertion -- loops over typed arrays of one length */
import { Buffer } from "node:buffer";
import {
  MAX_VARINT_BYTES,
  VarintReader,
  writeSignedVarint,
  writeVarint,
} from "@sluice/protocol/wire";
import { MAX_GROUPS } from "./line-order.ts";
import type { MarkedLayout } from "./line-pass.ts";
import type { Arrival, RunSpan } from "./run.ts";
import { MAX_PATTERN_BYTES, countsFromEpoch, layoutParts } from "./time-layout.ts";

/**
 * The first section of an index: what stands once per run or per block, as varints (s: signed).
 *
 *     layouts: number, then marker, zone minutes s, length of the pattern, pattern
 *     runs:    number, then stream id, records
 *     seqs:    per run the first, then ranges of (distance from the end of the last, records) that fill it
 *     arrivals: (records, receipt time minus the last s, batch id minus the last s) that fill the block
 *     times:   where they start s, number of groups, unit of each, number of planes
 */
export interface IndexMeta {
  readonly layouts: readonly MarkedLayout[];
  readonly runs: readonly RunSpan[];
  /** Makes one for each record; checked already. */
  readonly seqs: () => Float64Array;
  readonly arrivals: readonly Arrival[];
  readonly firstUs: number;
  readonly units: Uint8Array;
  readonly planes: number;
}

/** More ways to write times than one block's lines have; each is looked for in every line. */
export const MAX_LAYOUTS = 8;

class MetaWriter {
  #bytes = Buffer.alloc(1024);
  #at = 0;

  number(value: number): void {
    this.#reserve(MAX_VARINT_BYTES);
    this.#at = writeVarint(this.#bytes, this.#at, value);
  }

  signed(value: number): void {
    this.#reserve(MAX_VARINT_BYTES);
    this.#at = writeSignedVarint(this.#bytes, this.#at, value);
  }

  text(text: string): void {
    this.number(text.length);
    this.#reserve(text.length);
    this.#at += this.#bytes.write(text, this.#at, "latin1");
  }

  finish(): Buffer {
    return this.#bytes.subarray(0, this.#at);
  }

  #reserve(bytes: number): void {
    if (this.#at + bytes <= this.#bytes.length) return;
    this.#bytes = Buffer.concat([this.#bytes, Buffer.alloc(this.#bytes.length + bytes)]);
  }
}

export function writeMeta(meta: IndexMeta): Buffer {
  const writer = new MetaWriter();
  writer.number(meta.layouts.length);
  for (const { marker, layout } of meta.layouts) {
    writer.number(marker);
    writer.signed(layout.zoneMinutes);
    writer.text(layout.pattern);
  }
  const seqs = meta.seqs();
  writer.number(meta.runs.length);
  for (const { streamId, count } of meta.runs) {
    writer.number(streamId);
    writer.number(count);
  }
  for (const run of meta.runs) writeSeqs(writer, seqs.subarray(run.from, run.from + run.count));
  let [receivedUs, batchId] = [0, 0];
  for (const arrival of meta.arrivals) {
    writer.number(arrival.count);
    writer.signed(arrival.receivedUs - receivedUs);
    writer.signed(arrival.batchId - batchId);
    ({ receivedUs, batchId } = arrival);
  }
  writer.signed(meta.firstUs);
  writer.number(meta.units.length);
  for (const unit of meta.units) writer.number(unit);
  writer.number(meta.planes);
  return writer.finish();
}

function writeSeqs(writer: MetaWriter, seqs: Float64Array): void {
  let next = 0;
  for (let from = 0; from < seqs.length;) {
    let to = from + 1;
    while (to < seqs.length && seqs[to] === seqs[to - 1]! + 1) to++;
    if (!(seqs[from]! >= next)) throw new RangeError("sequence numbers that do not ascend");
    writer.number(seqs[from]! - next);
    writer.number(to - from);
    next = seqs[to - 1]! + 1;
    from = to;
  }
}

/** Undefined where the section does not describe `count` records. */
export function readMeta(section: Uint8Array, count: number): IndexMeta | undefined {
  const reader = new VarintReader(section, 0, section.length);
  const layouts = readLayouts(section, reader);
  const runs = readRuns(reader, count);
  if (layouts === undefined || runs === undefined) return undefined;
  const seqs = readSeqs(reader, runs, count);
  const arrivals = readArrivals(reader, count);
  if (seqs === undefined || arrivals === undefined) return undefined;
  const firstUs = reader.readSigned();
  const units = readUnits(reader);
  const planes = reader.read();
  if (Number.isNaN(firstUs) || units === undefined || !reader.atEnd) return undefined;
  return { layouts, runs, seqs, arrivals, firstUs, units, planes };
}

function readLayouts(section: Uint8Array, reader: VarintReader): MarkedLayout[] | undefined {
  const number = reader.read();
  if (!(number <= MAX_LAYOUTS)) return undefined;
  const layouts: MarkedLayout[] = [];
  for (let i = 0; i < number; i++) {
    const marker = reader.read();
    const zoneMinutes = reader.readSigned();
    const length = reader.read();
    if (!(marker <= 0x1f && length <= MAX_PATTERN_BYTES)) return undefined;
    const pattern = Buffer.from(section.subarray(reader.at, reader.at + length)).toString("latin1");
    reader.at += length;
    const layout = { pattern, zoneMinutes };
    if (layoutParts(layout) === undefined) return undefined;
    layouts.push({ marker, layout });
  }
  return layouts;
}

/** Whether each time of a block can be written in each of its layouts. */
export function suitsTimes(layouts: readonly MarkedLayout[], timesUs: Float64Array): boolean {
  if (!layouts.some(({ layout }) => countsFromEpoch(layoutParts(layout) ?? []))) return true;
  for (const timeUs of timesUs) if (timeUs < 0) return false;
  return true;
}

function readUnits(reader: VarintReader): Uint8Array | undefined {
  const number = reader.read();
  if (!(number <= MAX_GROUPS)) return undefined;
  const units = Array.from({ length: number }, () => reader.read());
  return units.every((unit) => unit <= 0xff) ? Uint8Array.from(units) : undefined;
}

function readRuns(reader: VarintReader, count: number): RunSpan[] | undefined {
  const number = reader.read();
  if (!(number >= 1 && number <= count)) return undefined;
  const runs: RunSpan[] = [];
  let from = 0;
  for (let i = 0; i < number; i++) {
    const streamId = reader.read();
    const records = reader.read();
    if (Number.isNaN(streamId) || !(records >= 1 && records <= count - from)) return undefined;
    runs.push({ streamId, from, count: records });
    from += records;
  }
  return from === count ? runs : undefined;
}

function readSeqs(
  reader: VarintReader,
  runs: readonly RunSpan[],
  count: number,
): (() => Float64Array) | undefined {
  const ranges: { readonly first: number; readonly at: number; readonly to: number }[] = [];
  for (const run of runs) {
    const end = run.from + run.count;
    let next = 0;
    for (let at = run.from; at < end;) {
      next += reader.read();
      const records = reader.read();
      if (!(records >= 1 && records <= end - at)) return undefined;
      if (!(next + records - 1 <= Number.MAX_SAFE_INTEGER)) return undefined;
      ranges.push({ first: next, at, to: at + records });
      next += records;
      at += records;
    }
  }
  return () => {
    const seqs = new Float64Array(count);
    for (const { first, at, to } of ranges) for (let i = at; i < to; i++) seqs[i] = first + i - at;
    return seqs;
  };
}

function readArrivals(reader: VarintReader, count: number): Arrival[] | undefined {
  const arrivals: Arrival[] = [];
  let [receivedUs, batchId] = [0, 0];
  for (let left = count; left > 0;) {
    const records = reader.read();
    receivedUs += reader.readSigned();
    batchId += reader.readSigned();
    if (!(records >= 1 && records <= left)) return undefined;
    if (!Number.isSafeInteger(receivedUs) || !Number.isSafeInteger(batchId)) return undefined;
    arrivals.push({ count: records, receivedUs, batchId });
    left -= records;
  }
  return arrivals;
}
