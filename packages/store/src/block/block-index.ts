/* oxlint-disable typescript/no-non-null-assertion -- loops over typed arrays of one length */
import { MAX_SEVERITY } from "@sluice/protocol/wire";
import { type Result, ok } from "@sluice/quantity";
import type { Buffer } from "node:buffer";
import { type BlockError, badBlock } from "./block-error.ts";
import { type IndexMeta, readMeta, suitsTimes } from "./index-meta.ts";
import { type LineOrder, orderLines } from "./line-order.ts";
import type { MarkedLayout } from "./line-pass.ts";
import type { Arrival, RunSpan } from "./run.ts";
import { openSections, type Sections } from "./section.ts";
import { joinNanos, joinTimes } from "./time-column.ts";

/** All that is known of a block's records without their text. Records are in the order of their runs. */
export interface BlockIndex {
  readonly count: number;
  /** Event times in microseconds since the epoch. */
  readonly timesUs: Float64Array;
  readonly severities: Uint8Array;
  readonly seqs: Float64Array;
  /** Their counts sum to `count`; none reaches across runs. */
  readonly arrivals: readonly Arrival[];
  readonly runs: readonly RunSpan[];
  /** Nanoseconds (0 to 999) beyond each time, where timestamps that are not in the text tell them; else 0. */
  readonly nanos: Uint16Array;
  /** How timestamps that are not in the text are written. */
  readonly layouts: readonly MarkedLayout[];
  /** Which line of the text is which record's. */
  readonly order: LineOrder;
}

/** Decodes the index of a block whose sections are stated to be `rawBytes` in sum, and checks all of it. */
export function decodeIndex(bytes: Uint8Array, rawBytes: number): Result<BlockIndex, BlockError> {
  const opened = openIndex(bytes, rawBytes);
  if (!opened.ok) return opened;
  const index = opened.value;
  try {
    const { count, timesUs, nanos, severities, seqs, arrivals, runs, layouts, order } = index;
    return ok({ count, timesUs, nanos, severities, seqs, arrivals, runs, layouts, order });
  } catch (error) {
    if (error instanceof RangeError) return badBlock(error.message);
    throw error;
  }
}

/**
 * Opens an index whose columns are decoded when they are first asked for: most searches need few of them. The checksum
 * being right, a column was written as it is; one that is malformed all the same throws a RangeError.
 */
export function openIndex(bytes: Uint8Array, rawBytes: number): Result<BlockIndex, BlockError> {
  const opened = openSections(bytes, rawBytes);
  if (!opened.ok) return opened;
  const sections = opened.value;
  const count = sections.rawBytes(GROUPS);
  if (sections.count < FIRST_PLANE || count === 0) return badBlock("an index without its sections");
  const metaSection = sections.inflate(META);
  const meta = metaSection === undefined ? undefined : readMeta(metaSection, count);
  return meta === undefined
    ? badBlock("the runs of the index are malformed")
    : ok(new OpenIndex(sections, count, meta));
}

const META = 0;
const GROUPS = 1;
const SEVERITIES = 2;
const FIRST_PLANE = 3;

class OpenIndex implements BlockIndex {
  readonly count: number;
  readonly #sections: Sections;
  readonly #meta: IndexMeta;
  #groups: Buffer | undefined;
  #order: LineOrder | undefined;
  #timesUs: Float64Array | undefined;
  #nanos: Uint16Array | undefined;
  #severities: Uint8Array | undefined;
  #seqs: Float64Array | undefined;

  constructor(sections: Sections, count: number, meta: IndexMeta) {
    this.count = count;
    this.#sections = sections;
    this.#meta = meta;
  }

  get arrivals(): readonly Arrival[] {
    return this.#meta.arrivals;
  }

  get runs(): readonly RunSpan[] {
    return this.#meta.runs;
  }

  get layouts(): readonly MarkedLayout[] {
    return this.#meta.layouts;
  }

  get order(): LineOrder {
    return (this.#order ??= orderLines(this.#lineGroups));
  }

  get timesUs(): Float64Array {
    return (this.#timesUs ??= this.#readTimes());
  }

  get nanos(): Uint16Array {
    return (this.#nanos ??=
      joinNanos(this.#planes(this.#meta.planes, Infinity), this.count) ?? malformed("nanoseconds"));
  }

  get severities(): Uint8Array {
    return (this.#severities ??= this.#readSeverities());
  }

  get seqs(): Float64Array {
    return (this.#seqs ??= this.#meta.seqs());
  }

  get #lineGroups(): Buffer {
    return (this.#groups ??= this.#sections.inflate(GROUPS) ?? malformed("groups"));
  }

  #readTimes(): Float64Array {
    const { firstUs, units, planes, layouts } = this.#meta;
    const stored = { firstUs, units, planes: this.#planes(0, planes) };
    const timesUs = joinTimes(stored, this.#lineGroups) ?? malformed("times");
    return suitsTimes(layouts, timesUs) ? timesUs : malformed("layouts");
  }

  #readSeverities(): Uint8Array {
    const ofLines = this.#sections.inflate(SEVERITIES);
    if (ofLines?.length !== this.count) return malformed("severities");
    const { recordOf } = this.order;
    const severities = new Uint8Array(this.count);
    for (let line = 0; line < this.count; line++) {
      const severity = ofLines[line]!;
      if (severity > MAX_SEVERITY) return malformed("severities");
      severities[recordOf[line]!] = severity;
    }
    return severities;
  }

  #planes(from: number, to: number): Buffer[] {
    const planes: Buffer[] = [];
    const end = Math.min(this.#sections.count, FIRST_PLANE + to);
    for (let i = FIRST_PLANE + from; i < end; i++)
      planes.push(this.#sections.inflate(i) ?? malformed("planes"));
    return planes;
  }
}

function malformed(what: string): never {
  throw new RangeError(`the ${what} of the index are malformed`);
}
