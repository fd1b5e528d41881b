import type { Block } from "./block-catalog.ts";
import { type Match, type MatchFinder, seqOf } from "./match-finder.ts";
import type { TimeRange } from "./search-request.ts";

/** A record's place in the total order of a search by time. */
export interface TimeKey {
  readonly timeUs: number;
  readonly streamId: number;
  readonly seq: number;
}

/** Rows that a page may hold, and bytes of their bodies: what is kept in memory, whatever the answer's size. */
export const PAGE_ROWS = 4096;
export const PAGE_BYTES: number = 8 * 1024 * 1024;

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
    const { matches, isFull } = collectPage(left, first, after, size, options);
    const end = matches.at(-1);
    if (end === undefined) {
      return;
    }
    yield matches;
    rows += matches.length;
    if (!isFull) {
      return;
    }
    after = keyOf(end);
  }
}

interface Page {
  readonly matches: Match[];
  /** Another match may lie behind its last one. */
  readonly isFull: boolean;
}

function collectPage(
  blocks: readonly Block[],
  first: (block: Block) => number,
  after: TimeKey | undefined,
  size: number,
  { finder, range, reverse, checkpoint }: MergeOptions,
): Page {
  const compare = reverse ? (a: Match, b: Match): number => compareMatches(b, a) : compareMatches;
  const from = pageRange(range, after, reverse);
  let page: Page = { matches: [], isFull: false };
  let bytes = 0;
  const pinned = new Set<number>();
  for (const block of blocks) {
    const worst = page.isFull ? page.matches.at(-1) : undefined;
    const worstUs = worst === undefined ? undefined : reverse ? -worst.timeUs : worst.timeUs;
    // Strictly later: a record of the same moment may still come before by its stream.
    if (worstUs !== undefined && first(block) > worstUs) {
      break;
    }
    checkpoint();
    // Room for those of the same moment that the page before has already given out.
    const found = finder
      .find(block, from, reverse, after === undefined ? size : Number.POSITIVE_INFINITY)
      .filter((match) => after === undefined || isBehind(match, after, reverse));
    if (found.length === 0) {
      continue;
    }
    page = { ...page, matches: page.matches.concat(found) };
    bytes += bytesOf(found);
    pinned.add(block.id);
    if (page.isFull || page.matches.length >= size || bytes >= PAGE_BYTES) {
      page = cut(page.matches.sort(compare), size);
      bytes = bytesOf(page.matches);
    }
    if (pinned.size > PINNED_BLOCKS) {
      page = { ...page, matches: page.matches.map(detach) };
      pinned.clear();
    }
  }
  return { ...page, matches: page.matches.sort(compare) };
}

/** The first of the matches that fill a page, in rows or in bytes; at least one. */
function cut(matches: readonly Match[], size: number): Page {
  let bytes = 0;
  for (const [index, match] of matches.entries()) {
    bytes += bodyBytesOf(match);
    if (index + 1 === size || bytes >= PAGE_BYTES) {
      return { matches: matches.slice(0, index + 1), isFull: true };
    }
  }
  return { matches: [...matches], isFull: false };
}

function bytesOf(matches: readonly Match[]): number {
  return matches.reduce((sum, match) => sum + bodyBytesOf(match), 0);
}

function bodyBytesOf({ columns, index }: Match): number {
  const start = columns.bodyOffsets[index] ?? 0;
  return (columns.bodyOffsets[index + 1] ?? start) - start;
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

function keyOf(match: Match): TimeKey {
  return { timeUs: match.timeUs, streamId: match.block.stream.streamId, seq: seqOf(match) };
}

function compareMatches(a: Match, b: Match): number {
  return (
    a.timeUs - b.timeUs || a.block.stream.streamId - b.block.stream.streamId || seqOf(a) - seqOf(b)
  );
}

function isBehind(match: Match, after: TimeKey, reverse: boolean): boolean {
  const order =
    match.timeUs - after.timeUs ||
    match.block.stream.streamId - after.streamId ||
    seqOf(match) - after.seq;
  return reverse ? order < 0 : order > 0;
}
