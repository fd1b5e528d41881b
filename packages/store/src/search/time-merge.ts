import { gatherColumns } from "../block/record-columns.ts";
import type { Match, MatchFinder } from "./match-finder.ts";
import type { StoredRun } from "./run-catalog.ts";
import type { TimeRange } from "./search-request.ts";

/** A record's place in the total order of a search by time. */
export interface TimeKey {
  readonly timeUs: number;
  readonly streamId: number;
  readonly seq: number;
}

/** Rows that a page may hold, and bytes of their bodies: what is given out at a time. */
export const PAGE_ROWS = 4096;
export const PAGE_BYTES: number = 2 * 1024 * 1024;

/**
 * What a round of the merge may collect in memory, whatever the answer's size. A round is one page,
 * and grows to this where many blocks overlap in time: each round reads all of those again.
 */
const ROUND_ROWS = 32_768;
const ROUND_BYTES = 16 * 1024 * 1024;
const ROUND_GROWTH = 4;

/** Blocks of which a round may hold all matches before those that it has cut off are let go. */
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

interface Bounds {
  readonly rows: number;
  readonly bytes: number;
}

interface Round {
  readonly matches: readonly Match[];
  /** Another match may lie behind its last one. */
  readonly isFull: boolean;
  /** Blocks that were read for it. */
  readonly blocks: number;
}

/**
 * Matches in the order of (event time, stream, seq), or its reverse, in pages. A round takes in
 * blocks in the order of their first possible record and stops as soon as no block left can hold
 * one that belongs to it: newest-first with a limit reads only the newest blocks. Since a round is
 * defined by the key before it, the answer is the same at any size of rounds.
 */
export function* mergeByTime(
  blocks: readonly StoredRun[],
  options: MergeOptions,
): Generator<Match[]> {
  const { reverse } = options;
  const first = (block: StoredRun): number => (reverse ? -block.maxTimeUs : block.minTimeUs);
  const last = (block: StoredRun): number => (reverse ? -block.minTimeUs : block.maxTimeUs);
  let left = blocks.toSorted((a, b) => first(a) - first(b) || (a.key < b.key ? -1 : 1));
  let bounds: Bounds = { rows: PAGE_ROWS, bytes: PAGE_BYTES };
  let after = options.after;
  let rows = 0;
  while (left.length > 0 && rows < options.limit) {
    const afterUs = after?.timeUs;
    if (afterUs !== undefined) {
      const passed = reverse ? -afterUs : afterUs;
      left = left.filter((block) => last(block) >= passed);
    }
    const wanted = { ...bounds, rows: Math.min(bounds.rows, options.limit - rows) };
    const { matches, isFull, blocks: read } = collect(left, first, after, wanted, options);
    yield* pagesOf(matches);
    rows += matches.length;
    const end = matches.at(-1);
    if (end === undefined || !isFull) {
      return;
    }
    after = { timeUs: end.timeUs, streamId: end.run.stream.streamId, seq: end.seq };
    if (read > PINNED_BLOCKS) {
      bounds = {
        rows: Math.min(bounds.rows * ROUND_GROWTH, ROUND_ROWS),
        bytes: Math.min(bounds.bytes * ROUND_GROWTH, ROUND_BYTES),
      };
    }
  }
}

function collect(
  blocks: readonly StoredRun[],
  first: (block: StoredRun) => number,
  after: TimeKey | undefined,
  bounds: Bounds,
  { finder, range, reverse, checkpoint }: MergeOptions,
): Round {
  const compare = reverse ? (a: Match, b: Match): number => compareMatches(b, a) : compareMatches;
  let matches: readonly Match[] = [];
  let worst: Match | undefined;
  let bytes = 0;
  let read = 0;
  const pinned = new Set<string>();
  for (const block of blocks) {
    const worstUs = worst === undefined ? undefined : reverse ? -worst.timeUs : worst.timeUs;
    // Strictly later: a record of the same moment may still come before by its stream.
    if (worstUs !== undefined && first(block) > worstUs) {
      break;
    }
    checkpoint();
    const within = rangeOf(range, after, worst, reverse);
    const found = findBehind(finder, block, within, after, reverse, bounds.rows);
    if (found.length === 0) {
      continue;
    }
    matches = matches.concat(found);
    bytes += bytesOf(found);
    read += 1;
    pinned.add(block.key);
    // Cut at twice the bounds, and not for every block: a sort for each would cost more than reading.
    const isCrowded = matches.length >= 2 * bounds.rows || bytes >= 2 * bounds.bytes;
    if (isCrowded || (worst === undefined && reaches(bounds, matches.length, bytes))) {
      matches = cut(matches.toSorted(compare), bounds);
      worst = matches.at(-1);
      bytes = bytesOf(matches);
    }
    if (pinned.size > PINNED_BLOCKS) {
      matches = copyOut(matches);
      pinned.clear();
    }
  }
  const sorted = matches.toSorted(compare);
  const page = cut(sorted, bounds);
  const isFull = worst !== undefined || page.length < sorted.length;
  return { matches: page, isFull, blocks: read };
}

function reaches(bounds: Bounds, rows: number, bytes: number): boolean {
  return rows >= bounds.rows || bytes >= bounds.bytes;
}

/** The block's first matches behind `after`, at least `rows` of them where it has so many. */
function findBehind(
  finder: MatchFinder,
  block: StoredRun,
  range: TimeRange,
  after: TimeKey | undefined,
  reverse: boolean,
  rows: number,
): Match[] {
  const found = finder.find(block, range, reverse, rows);
  if (after === undefined) {
    return found;
  }
  const behind = found.filter((match) => isBehind(match, after, reverse));
  // Those of the same moment that were given out before took the place of others.
  return found.length < rows || behind.length === found.length
    ? behind
    : finder
        .find(block, range, reverse, Number.POSITIVE_INFINITY)
        .filter((match) => isBehind(match, after, reverse));
}

function* pagesOf(matches: readonly Match[]): Generator<Match[]> {
  for (let from = 0; from < matches.length;) {
    const page = cut(matches.slice(from, from + PAGE_ROWS), { rows: PAGE_ROWS, bytes: PAGE_BYTES });
    yield [...page];
    from += page.length;
  }
}

/** The first of the matches that reach a bound, in rows or in bytes; at least one. */
function cut(matches: readonly Match[], bounds: Bounds): readonly Match[] {
  let bytes = 0;
  for (const [index, match] of matches.entries()) {
    bytes += bodyBytesOf(match);
    if (reaches(bounds, index + 1, bytes)) {
      return matches.slice(0, index + 1);
    }
  }
  return matches;
}

function bytesOf(matches: readonly Match[]): number {
  return matches.reduce((sum, match) => sum + bodyBytesOf(match), 0);
}

function bodyBytesOf({ columns, index }: Match): number {
  const start = columns.bodyOffsets[index] ?? 0;
  return (columns.bodyOffsets[index + 1] ?? start) - start;
}

/** The part of the range that a round can lie in: behind `after`, and not behind its worst match. */
function rangeOf(
  range: TimeRange,
  after: TimeKey | undefined,
  worst: Match | undefined,
  reverse: boolean,
): TimeRange {
  const [low, high] = reverse ? [worst?.timeUs, after?.timeUs] : [after?.timeUs, worst?.timeUs];
  return {
    fromUs: low === undefined ? range.fromUs : Math.max(range.fromUs ?? low, low),
    untilUs: high === undefined ? range.untilUs : Math.min(range.untilUs ?? Infinity, high + 1),
  };
}

/** The records in columns of their own, one set for each block, so that the blocks' memory can go. */
function copyOut(matches: readonly Match[]): Match[] {
  const ofColumns = Map.groupBy(matches, ({ columns }) => columns);
  const copies = new Map<Match, Match>();
  for (const [columns, group] of ofColumns) {
    if (group.length === columns.count) {
      continue;
    }
    const copy = gatherColumns(
      columns,
      group.map(({ index }) => index),
    );
    for (const [index, match] of group.entries()) {
      copies.set(match, { ...match, columns: copy, index });
    }
  }
  return matches.map((match) => copies.get(match) ?? match);
}

function compareMatches(a: Match, b: Match): number {
  return a.timeUs - b.timeUs || a.run.stream.streamId - b.run.stream.streamId || a.seq - b.seq;
}

function isBehind(match: Match, after: TimeKey, reverse: boolean): boolean {
  const order =
    match.timeUs - after.timeUs ||
    match.run.stream.streamId - after.streamId ||
    match.seq - after.seq;
  return reverse ? order < 0 : order > 0;
}
