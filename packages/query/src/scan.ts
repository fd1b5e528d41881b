// Hot loops over typed arrays: an index is in range by the loop's own bounds.
/* oxlint-disable typescript/no-non-null-assertion */
import type { RecordColumns } from "@sluice/protocol";
import type { RecordFilter } from "./evaluate.ts";
import { hidesWords } from "./field-text.ts";
import type { Proposal } from "./proposal.ts";
import type { StreamIdentity } from "./record-field.ts";

export interface ScanOptions {
  /** The first event time that counts. Default: any. */
  readonly fromUs?: number;
  /** The first event time that no longer counts. Default: none. */
  readonly untilUs?: number;
  /** Default: false, the oldest first. */
  readonly newestFirst?: boolean;
  /** How many records at most: the first ones in the order asked for. Default: all. */
  readonly limit?: number;
}

/** Bytes looked at first when only the newest records are wanted; each further step is twice as far. */
const FIRST_STEP_BYTES = 32 * 1024;

/**
 * Indices of the matching records, ordered by time and then by index, or by both backwards. A proposer leaps over
 * records that cannot match; `filter.matches` has the last word on each of the others, where the place does not say it.
 */
export function scanBlock(
  filter: RecordFilter,
  stream: StreamIdentity,
  columns: RecordColumns,
  options: ScanOptions = {},
): number[] {
  const { fromUs = -Infinity, untilUs = Infinity, newestFirst = false, limit = Infinity } = options;
  if (limit < 1 || filter.streamMayMatch(stream) === "no") {
    return [];
  }
  const { timesUs, count } = columns;
  const scan = new RecordScan(filter, stream, columns);
  if (!isAscending(timesUs, count)) {
    const inTime = scan
      .collect(0, count, Infinity)
      .filter((index) => timesUs[index]! >= fromUs && timesUs[index]! < untilUs)
      .sort((a, b) => timesUs[a]! - timesUs[b]! || a - b);
    return (newestFirst ? inTime.reverse() : inTime).slice(0, limit);
  }
  const low = firstAtOrAfter(timesUs, count, fromUs);
  const high = firstAtOrAfter(timesUs, count, untilUs);
  return newestFirst
    ? collectBackwards(scan, columns, low, high, limit)
    : scan.collect(low, high, limit);
}

class RecordScan {
  readonly #filter: RecordFilter;
  readonly #stream: StreamIdentity;
  readonly #columns: RecordColumns;
  readonly #proposal: Proposal | undefined;

  constructor(filter: RecordFilter, stream: StreamIdentity, columns: RecordColumns) {
    this.#filter = filter;
    this.#stream = stream;
    this.#columns = columns;
    this.#proposal = chooseProposal(filter, stream, columns);
  }

  /** The first `limit` matches from `low` to below `high`, by index. */
  collect(low: number, high: number, limit: number): number[] {
    if (low >= high) {
      return [];
    }
    return this.#proposal === undefined
      ? this.#collectEach(low, high, limit)
      : this.#collectProposed(this.#proposal, low, high, limit);
  }

  #collectEach(low: number, high: number, limit: number): number[] {
    const found: number[] = [];
    for (let index = low; index < high && found.length < limit; index++) {
      if (this.#filter.matches(this.#stream, this.#columns, index)) {
        found.push(index);
      }
    }
    return found;
  }

  #collectProposed(proposal: Proposal, low: number, high: number, limit: number): number[] {
    const { bodies, bodyOffsets } = this.#columns;
    const start = bodyOffsets[low]!;
    const searched = bodies.subarray(start, bodyOffsets[high]);
    const { matchesAt, proposer } = proposal;
    const propose = proposer.over(searched);
    const found: number[] = [];
    let index = low;
    let from = 0;
    while (index < high && found.length < limit) {
      const place = propose(from);
      if (place === -1) {
        break;
      }
      if (matchesAt !== undefined && !matchesAt(searched, place)) {
        from = place + 1;
        continue;
      }
      // A text that runs over the end of this record is no match of it, and may hide none of the next one.
      index = recordAt(bodyOffsets, place + start, index, high);
      if (matchesAt !== undefined || this.#filter.matches(this.#stream, this.#columns, index)) {
        found.push(index);
      }
      index++;
      from = bodyOffsets[index]! - start;
    }
    return found;
  }
}

/** The best proposal that is complete for a block. */
function chooseProposal(
  { proposal, plainProposal }: RecordFilter,
  { labels }: StreamIdentity,
  { attributes, bodies }: RecordColumns,
): Proposal | undefined {
  const isComplete = ({ bodyFields }: Proposal): boolean =>
    bodyFields.length === 0 ||
    (attributes === undefined && !bodyFields.some((name) => Object.hasOwn(labels, name)));
  if (plainProposal !== undefined && isComplete(plainProposal) && !hidesWords(bodies)) {
    return plainProposal;
  }
  return proposal !== undefined && isComplete(proposal) ? proposal : undefined;
}

function collectBackwards(
  scan: RecordScan,
  { bodyOffsets }: RecordColumns,
  low: number,
  high: number,
  limit: number,
): number[] {
  const found: number[] = [];
  let stepBytes = limit === Infinity ? Infinity : FIRST_STEP_BYTES;
  while (low < high && found.length < limit) {
    const cut = recordAt(bodyOffsets, Math.max(bodyOffsets[high]! - stepBytes, 0), 0, high);
    const stepLow = Math.max(low, Math.min(cut, high - 1));
    const step = scan.collect(stepLow, high, Infinity);
    for (let i = step.length - 1; i >= 0 && found.length < limit; i--) {
      found.push(step[i]!);
    }
    high = stepLow;
    stepBytes *= 2;
  }
  return found;
}

/** The record that a place in the bodies belongs to, known to be from `low` to below `high`. Near ones are found first. */
function recordAt(bodyOffsets: Uint32Array, place: number, low: number, high: number): number {
  let step = 1;
  while (low + step < high && bodyOffsets[low + step]! <= place) {
    low += step;
    step *= 2;
  }
  let beyond = Math.min(low + step, high);
  while (beyond - low > 1) {
    const middle = (low + beyond) >>> 1;
    if (bodyOffsets[middle]! <= place) {
      low = middle;
    } else {
      beyond = middle;
    }
  }
  return low;
}

function isAscending(timesUs: Float64Array, count: number): boolean {
  for (let i = 1; i < count; i++) {
    if (timesUs[i]! < timesUs[i - 1]!) {
      return false;
    }
  }
  return true;
}

/** Of ascending times, the index of the first at or behind a moment; `count` where there is none. */
function firstAtOrAfter(timesUs: Float64Array, count: number, momentUs: number): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (timesUs[middle]! < momentUs) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}
