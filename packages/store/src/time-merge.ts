import type { Block } from "./block-catalog.ts";
import { type Match, type MatchFinder, seqOf } from "./match-finder.ts";
import type { TimeRange } from "./search-request.ts";

/** A record's place in the total order of a search by time. */
export interface TimeKey {
  readonly timeUs: number;
  readonly streamId: number;
  readonly seq: number;
}

/** Rows that a page may hold: what is kept in memory, whatever the answer's size. */
export const PAGE_ROWS = 4096;

/** Distinct blocks that a page may pin before its rows are copied out of them. */
const PINNED_BLOCKS = 32;

export interface MergeOptions {
  readonly finder: MatchFinder;
  readonly range: TimeRange;
  readonly reverse: boolean;
  readonly limit: number;
  readonly after: TimeKey | undefined;
  /** Throws to end the search; called before each block. */
  readonly checkpoint: () => void;
}

/**
 * Matches in the order of (event time, stream, seq), or its reverse, in pages. A page takes in
 * blocks in the order of their first possible record and stops as soon as no block left can hold
 * one that belongs on it: newest-first with a limit reads only the newest blocks. Since a page is
 * defined by the key before it, the answer is the same at any page size.
 */
export function* mergeByTime(blocks: readonly Block[], options: MergeOptions): Generator<Match[]> {
  const { reverse } = options;
  const first = (block: Block): number => (reverse ? -block.maxTimeUs : block.minTimeUs);
  const last = (block: Block): number => (reverse ? -block.minTimeUs : block.maxTimeUs);
  let left = blocks.toSorted((a, b) => first(a) - first(b) || a.id - b.id);
  let after = options.after;
  let rows = 0;
  while (left.length > 0 && rows < options.limit) {
    const afterUs = after?.timeUs;
    if (afterUs !== undefined) {
      const passed = reverse ? -afterUs : afterUs;
      left = left.filter((block) => last(block) >= passed);
    }
    const size = Math.min(PAGE_ROWS, options.limit - rows);
    const page = collectPage(left, first, after, size, options);
    const end = page.at(-1);
    if (end === undefined) {
      return;
    }
    yield page;
    rows += page.length;
    if (page.length < size) {
      return;
    }
    after = keyOf(end);
  }
}

function collectPage(
  blocks: readonly Block[],
  first: (block: Block) => number,
  after: TimeKey | undefined,
  size: number,
  { finder, range, reverse, checkpoint }: MergeOptions,
): Match[] {
  const compare = reverse
    ? (a: Match, b: Match): number => compareKeys(keyOf(b), keyOf(a))
    : (a: Match, b: Match): number => compareKeys(keyOf(a), keyOf(b));
  const from = pageRange(range, after, reverse);
  let page: Match[] = [];
  let worst: Match | undefined;
  const pinned = new Set<number>();
  for (const block of blocks) {
    const worstUs = worst === undefined ? undefined : reverse ? -worst.timeUs : worst.timeUs;
    // Strictly later: a record of the same moment may still come before by its stream.
    if (worstUs !== undefined && first(block) > worstUs) {
      break;
    }
    checkpoint();
    // Room for those of the same moment that the page before has already given out.
    const found = finder
      .find(block, from, reverse, after === undefined ? size : Number.POSITIVE_INFINITY)
      .filter((match) => after === undefined || isBehind(keyOf(match), after, reverse));
    if (found.length === 0) {
      continue;
    }
    page = page.concat(found.length > size ? found.slice(0, size) : found);
    pinned.add(block.id);
    if (page.length > size || pinned.size > PINNED_BLOCKS) {
      page.sort(compare);
      page = page.slice(0, size);
    }
    if (page.length === size) {
      page.sort(compare);
      worst = page.at(-1);
    }
    if (pinned.size > PINNED_BLOCKS) {
      page = page.map(detach);
      pinned.clear();
    }
  }
  return page.sort(compare);
}

/** The part of the range that a page behind `after` can lie in. */
function pageRange(range: TimeRange, after: TimeKey | undefined, reverse: boolean): TimeRange {
  if (after === undefined) {
    return range;
  }
  return reverse
    ? { fromUs: range.fromUs, untilUs: Math.min(range.untilUs ?? Infinity, after.timeUs + 1) }
    : { fromUs: Math.max(range.fromUs ?? -Infinity, after.timeUs), untilUs: range.untilUs };
}

/** The record on its own, so that its block's memory can go. */
function detach(match: Match): Match {
  const { columns, index } = match;
  if (columns.count === 1) {
    return match;
  }
  const start = columns.bodyOffsets[index] ?? 0;
  const end = columns.bodyOffsets[index + 1] ?? start;
  const alone = {
    count: 1,
    timesUs: columns.timesUs.slice(index, index + 1),
    severities: columns.severities.slice(index, index + 1),
    bodyOffsets: Uint32Array.of(0, end - start),
    bodies: columns.bodies.slice(start, end),
    attributes: columns.attributes === undefined ? undefined : [columns.attributes[index]],
  };
  const block = { ...match.block, firstSeq: seqOf(match) };
  return { timeUs: match.timeUs, block, columns: alone, index: 0 };
}

export function keyOf(match: Match): TimeKey {
  return { timeUs: match.timeUs, streamId: match.block.stream.streamId, seq: seqOf(match) };
}

function compareKeys(a: TimeKey, b: TimeKey): number {
  return a.timeUs - b.timeUs || a.streamId - b.streamId || a.seq - b.seq;
}

function isBehind(key: TimeKey, after: TimeKey, reverse: boolean): boolean {
  const order = compareKeys(key, after);
  return reverse ? order < 0 : order > 0;
}
