/* oxlint-disable typescript/no-non-null-assertion -- hot loops: every index lies inside arrays of known length */
import { Buffer } from "node:buffer";
import {
  MAX_VARINT_BYTES,
  attributesBytes,
  writeAttributes,
  writeVarint,
} from "@sluice/protocol/wire";
import { releaseMemory } from "../memory-release.ts";
import type { BlockDictionary } from "./dictionary.ts";
import { type SampleLine, findLayouts } from "./layout-finder.ts";
import { MAX_LAYOUTS, suitsTimes, writeMeta } from "./index-meta.ts";
import { type LineOrder, groupTemplates, orderLines } from "./line-order.ts";
import { LinePass, type MarkedLayout } from "./line-pass.ts";
import type { Run, RunSpan } from "./run.ts";
import { packSections, packSectionsOnPool } from "./section.ts";
import { splitNanos, splitTimes } from "./time-column.ts";

/*
 * A block is two blobs of sections (see section.ts), each with a version, a checksum and the sizes of its sections.
 *
 *     index     meta | groups | severities | times, one plane per byte | nanoseconds, two planes or none
 *     content   text | lengths | attributes
 *
 * - text: a line per record, each with its LF, and a marker byte in place of each timestamp that renders back, byte for
 *   byte, from the record's time in one of the block's layouts. A marker is a control byte that no body of the block
 *   holds, and it stands where words end: a word of a body is wholly in the text or wholly in a timestamp. Lines of one
 *   template (their first words, numbers alike) lie together, in the order of their records.
 * - lengths: the length of each line, in their order, LF included; empty where no body has an LF of its own.
 * - attributes: those of each line, in their order, as a batch has them; empty where no record has any.
 * - groups: the group of each record, a byte; with it the order of the lines is known.
 * - severities: one byte for each line, in their order.
 * - nanoseconds: what timestamps of more than six digits tell beyond their record's time, where any does.
 * - times: see time-column.ts. Meta: see index-meta.ts.
 *
 * The index is decoded without the content. All of a run's records, and a block's runs, keep their order: a record's
 * index in the block is its place in the runs, one after the other.
 */
const LF = 0x0a;
const SAMPLES = 64;
/** Control bytes that text has no use for: all but NUL and what is white space. */
const MARKERS: readonly number[] = Array.from({ length: 0x1f }, (_, i) => i + 1).filter(
  (byte) => byte < 0x09 || byte > 0x0d,
);

/** A block as it is stored, and what is known of it while it is made. */
export interface EncodedBlock {
  readonly index: Buffer;
  readonly content: Buffer;
  /** Sum of the sections before compression: what decoding allocates. */
  readonly indexRawBytes: number;
  readonly contentRawBytes: number;
  /** What the records were: bodies, an LF behind each, and attributes. */
  readonly rawBytes: number;
  /** The text as it is before compression, which a token filter is built from. */
  readonly text: Uint8Array;
}

/** The lines of a block as its text will have them, in the order of the records. */
interface EncodedLines {
  readonly bytes: Buffer;
  /** `count + 1` entries. */
  readonly offsets: Uint32Array;
  /** Hash of each line's template. */
  readonly templates: Int32Array;
  /** Nanoseconds beyond the time of each line's record. */
  readonly nanos: Uint16Array;
}

/** A block before compression. */
export interface BlockLayout extends Omit<EncodedBlock, "index" | "content"> {
  readonly index: readonly Uint8Array[];
  readonly content: readonly Uint8Array[];
}

/**
 * Encodes runs of at least one record each, in their order, at a level of `compressParams`. Decoding needs the same
 * dictionary. Throws a RangeError on misuse.
 */
export function encodeBlock(
  runs: readonly Run[],
  level: number,
  dictionary?: BlockDictionary,
): EncodedBlock {
  const layout = layOutBlock(runs);
  const index = packSections(layout.index, level);
  return { ...layout, index, content: packSections(layout.content, level, dictionary) };
}

/** The second half of `encodeBlock`, the text being compressed by the thread pool. */
export async function packBlockOnPool(
  layout: BlockLayout,
  level: number,
  dictionary?: BlockDictionary,
): Promise<EncodedBlock> {
  const packing = packSectionsOnPool(layout.content, level, dictionary);
  const index = packSections(layout.index, level);
  return { ...layout, index, content: await packing };
}

/** The first half of `encodeBlock`: all of it but the compression. */
export function layOutBlock(runs: readonly Run[]): BlockLayout {
  const spans = spansOf(runs);
  const count = spans.reduce((sum, span) => sum + span.count, 0);
  if (count === 0) throw new RangeError("a block without records");
  const timesUs = new Float64Array(count);
  const seqs = new Float64Array(count);
  runs.forEach((run, i) => {
    timesUs.set(run.columns.timesUs.subarray(0, run.columns.count), spans[i]!.from);
    seqs.set(run.seqs.subarray(0, run.columns.count), spans[i]!.from);
  });
  const layouts = markLayouts(runs, timesUs);
  const lines = encodeLines(runs, layouts, count);
  const groups = groupTemplates(lines.templates);
  const order = orderLines(groups);
  const times = splitTimes(timesUs, groups);
  const meta = writeMeta({
    layouts,
    runs: spans,
    seqs: () => seqs,
    arrivals: runs.flatMap((run) => run.arrivals),
    firstUs: times.firstUs,
    units: times.units,
    planes: times.planes.length,
  });
  const index = [
    meta,
    groups,
    severitiesOf(runs, spans, order),
    ...times.planes,
    ...splitNanos(lines.nanos),
  ];
  const text = orderText(lines, order);
  releaseMemory(lines.bytes);
  const attributes = encodeAttributes(runs, spans, order);
  const content = [text.bytes, text.lengths, attributes];
  return {
    index,
    content,
    indexRawBytes: sumLengths(index),
    contentRawBytes: sumLengths(content),
    rawBytes:
      runs.reduce((sum, run) => sum + run.columns.bodies.length, 0) +
      (attributes.length > 0 ? attributes.length - count : 0),
    text: text.bytes,
  };
}

function spansOf(runs: readonly Run[]): RunSpan[] {
  let from = 0;
  return runs.map(({ streamId, columns, seqs, arrivals }) => {
    const { count } = columns;
    if (count < 1 || seqs.length < count) throw new RangeError("a run without records or seqs");
    if (arrivals.reduce((sum, arrival) => sum + arrival.count, 0) !== count)
      throw new RangeError("the arrivals of a run are not its records");
    const span = { streamId, from, count };
    from += count;
    return span;
  });
}

function sumLengths(sections: readonly Uint8Array[]): number {
  return sections.reduce((sum, section) => sum + section.length, 0);
}

/** The layouts of the block's timestamps, as many as bytes are free to mark them. */
function markLayouts(runs: readonly Run[], timesUs: Float64Array): MarkedLayout[] {
  const layouts = findLayouts(sampleLines(runs, timesUs.length), MAX_LAYOUTS);
  const marked: MarkedLayout[] = [];
  for (const marker of MARKERS) {
    const layout = layouts[marked.length];
    if (layout === undefined) break;
    if (!runs.some(({ columns }) => columns.bodies.includes(marker)))
      marked.push({ layout, marker });
  }
  return suitsTimes(marked, timesUs) ? marked : [];
}

function sampleLines(runs: readonly Run[], count: number): SampleLine[] {
  const step = Math.max(1, count / SAMPLES);
  const samples: SampleLine[] = [];
  let from = 0;
  let next = 0;
  for (const { columns } of runs) {
    const { bodyOffsets, bodies, timesUs } = columns;
    for (; next < from + columns.count; next += step) {
      const i = Math.floor(next) - from;
      if (i < 0 || i >= columns.count) break;
      const start = bodyOffsets[i]!;
      const end = Math.min(bodyOffsets[i + 1]! - 1, start + 1024);
      const text = Buffer.from(bodies.buffer, bodies.byteOffset + start, end - start);
      samples.push({ text: text.toString("latin1"), timeUs: timesUs[i]! });
    }
    from += columns.count;
  }
  return samples;
}

function encodeLines(
  runs: readonly Run[],
  layouts: readonly MarkedLayout[],
  count: number,
): EncodedLines {
  const bytes = Buffer.allocUnsafe(runs.reduce((sum, run) => sum + run.columns.bodies.length, 0));
  const offsets = new Uint32Array(count + 1);
  const templates = new Int32Array(count);
  const nanos = new Uint16Array(count);
  const pass = new LinePass(layouts);
  let record = 0;
  let to = 0;
  for (const { columns } of runs) {
    const { bodies, bodyOffsets, timesUs } = columns;
    for (let i = 0; i < columns.count; i++) {
      const end = bodyOffsets[i + 1]!;
      to = pass.write(bodies, bodyOffsets[i]!, end, timesUs[i]!, bytes, to);
      templates[record] = pass.template;
      nanos[record++] = pass.nanos;
      offsets[record] = to;
    }
  }
  return { bytes: bytes.subarray(0, to), offsets, templates, nanos };
}

/** The lines in their order, and the length of each where the LFs do not tell it. */
function orderText(
  { bytes, offsets }: EncodedLines,
  { recordOf }: LineOrder,
): { readonly bytes: Buffer; readonly lengths: Buffer } {
  const text = Buffer.allocUnsafe(bytes.length);
  let at = 0;
  let hasInnerFeed = false;
  for (const record of recordOf) {
    const start = offsets[record]!;
    const end = offsets[record + 1]!;
    bytes.copy(text, at, start, end);
    at += end - start;
    hasInnerFeed ||= text.indexOf(LF, at - (end - start)) !== at - 1;
  }
  if (!hasInnerFeed) return { bytes: text, lengths: Buffer.alloc(0) };
  const lengths = Buffer.alloc(recordOf.length * MAX_VARINT_BYTES);
  let to = 0;
  for (const record of recordOf)
    to = writeVarint(lengths, to, offsets[record + 1]! - offsets[record]!);
  return { bytes: text, lengths: lengths.subarray(0, to) };
}

/** In the order of lines: the records of one template have one severity, mostly. */
function severitiesOf(
  runs: readonly Run[],
  spans: readonly RunSpan[],
  { lineOf }: LineOrder,
): Uint8Array {
  const severities = new Uint8Array(lineOf.length);
  runs.forEach(({ columns }, run) => {
    const { from, count } = spans[run]!;
    for (let i = 0; i < count; i++) severities[lineOf[from + i]!] = columns.severities[i]!;
  });
  return severities;
}

/** The attributes of each line, in their order, or nothing where no record has any. */
function encodeAttributes(
  runs: readonly Run[],
  spans: readonly RunSpan[],
  { recordOf }: LineOrder,
): Buffer {
  if (runs.every(({ columns }) => columns.attributes === undefined)) return Buffer.alloc(0);
  const all = runs.flatMap(({ columns }, i) =>
    Array.from({ length: spans[i]!.count }, (_, record) => columns.attributes?.[record]),
  );
  const sizes = all.map((attributes) => attributesBytes(attributes ?? {}));
  const total = sizes.reduce((sum, size) => sum + size, 0);
  if (total === 0) return Buffer.alloc(0);
  const section = Buffer.alloc(total + all.length * MAX_VARINT_BYTES);
  let at = 0;
  for (const record of recordOf) at = writeAttributes(section, at, all[record], sizes[record]!);
  return section.subarray(0, at);
}
