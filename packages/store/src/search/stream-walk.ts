import type { Match, MatchFinder } from "./match-finder.ts";
import type { CatalogStream, StoredRun } from "./run-catalog.ts";
import type { TimeRange } from "./search-request.ts";

/** A record's place in the order by stream. */
interface StreamKey {
  readonly streamId: number;
  readonly seq: number;
}

export interface WalkOptions {
  readonly finder: MatchFinder;
  readonly range: TimeRange;
  readonly reverse: boolean;
  readonly limit: number;
  readonly after: StreamKey | undefined;
  /** Throws to end the search; called before each run. */
  readonly checkpoint: () => void;
}

/**
 * Matches in the order of (agent, source, generation, seq), or its reverse: the order in which each
 * file was written. Runs of a stream overlap only where retention keeps some of its records in
 * another partition, so few are in memory at a time.
 *
 * @param streams by id: where `after` stands is found here, though its run may be gone
 */
export function* walkByStream(
  runs: readonly StoredRun[],
  streams: ReadonlyMap<number, CatalogStream>,
  options: WalkOptions,
): Generator<Match[]> {
  const { reverse, limit, after } = options;
  const ordered = runs.toSorted((a, b) =>
    reverse ? compareRuns(b, a, true) : compareRuns(a, b, false),
  );
  const last = after === undefined ? undefined : streams.get(after.streamId);
  let pending: Match[] = [];
  let rows = 0;
  for (const [at, run] of ordered.entries()) {
    if (rows >= limit) {
      return;
    }
    if (!isPassed(run, last, after, reverse)) {
      pending = mergeBySeq(pending, findBehind(run, options), reverse);
    }
    const ready = splitReady(pending, ordered[at + 1], reverse);
    pending = pending.slice(ready.length);
    const page = ready.slice(0, limit - rows);
    if (page.length > 0) {
      rows += page.length;
      yield page;
    }
  }
}

function findBehind(
  run: StoredRun,
  { finder, range, reverse, after, checkpoint }: WalkOptions,
): Match[] {
  checkpoint();
  const matches = finder
    .find(run, range, false, Number.POSITIVE_INFINITY)
    .filter(
      (match) =>
        after === undefined ||
        run.stream.streamId !== after.streamId ||
        (reverse ? match.seq < after.seq : match.seq > after.seq),
    );
  return matches.sort((a, b) => (reverse ? b.seq - a.seq : a.seq - b.seq));
}

/** The first of the matches that no record of the next run can come before. */
function splitReady(
  matches: readonly Match[],
  next: StoredRun | undefined,
  reverse: boolean,
): readonly Match[] {
  const [first] = matches;
  if (first === undefined || next === undefined) {
    return matches;
  }
  if (next.stream.streamId !== first.run.stream.streamId) {
    return matches;
  }
  const end = matches.findIndex(({ seq }) =>
    reverse ? seq <= next.lastSeq : seq >= next.firstSeq,
  );
  return end === -1 ? matches : matches.slice(0, end);
}

function mergeBySeq(a: Match[], b: Match[], reverse: boolean): Match[] {
  if (a.length === 0) {
    return b;
  }
  return b.length === 0
    ? a
    : [...a, ...b].sort((x, y) => (reverse ? y.seq - x.seq : x.seq - y.seq));
}

/** Whether all of a run comes before where the walk goes on. */
function isPassed(
  run: StoredRun,
  last: CatalogStream | undefined,
  after: StreamKey | undefined,
  reverse: boolean,
): boolean {
  if (last === undefined || after === undefined) {
    return false;
  }
  if (run.stream.streamId === after.streamId) {
    return reverse ? run.firstSeq >= after.seq : run.lastSeq <= after.seq;
  }
  const order = compareStreams(run.stream, last);
  return reverse ? order > 0 : order < 0;
}

/** By stream, then by the sequence number at which the walk comes to it. */
function compareRuns(a: StoredRun, b: StoredRun, byEnd: boolean): number {
  return (
    compareStreams(a.stream, b.stream) || (byEnd ? a.lastSeq - b.lastSeq : a.firstSeq - b.firstSeq)
  );
}

function compareStreams(a: CatalogStream, b: CatalogStream): number {
  return (
    compareText(a.agentId, b.agentId) ||
    compareText(a.source, b.source) ||
    a.generation - b.generation
  );
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
