import type { Block, CatalogStream } from "./block-catalog.ts";
import type { Match, MatchFinder } from "./match-finder.ts";
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
  /** Throws to end the search; called before each block. */
  readonly checkpoint: () => void;
}

/**
 * Matches in the order of (agent, source, generation, seq), or its reverse: the order in which
 * each file was written. Blocks of a stream do not overlap, so one block is in memory at a time.
 *
 * @param streams by id: where `after` stands is found here, though its block may be gone
 */
export function* walkByStream(
  blocks: readonly Block[],
  streams: ReadonlyMap<number, CatalogStream>,
  options: WalkOptions,
): Generator<Match[]> {
  const { finder, range, reverse, limit, after, checkpoint } = options;
  const ordered = blocks.toSorted(compareBlocks);
  if (reverse) {
    ordered.reverse();
  }
  const last = after === undefined ? undefined : streams.get(after.streamId);
  let rows = 0;
  for (const block of ordered) {
    if (rows >= limit) {
      return;
    }
    const { streamId } = block.stream;
    if (last !== undefined && after !== undefined) {
      const order = compareStreams(block.stream, last);
      const isPassed =
        streamId === after.streamId
          ? !mayHoldPast(block, after, reverse)
          : reverse
            ? order > 0
            : order < 0;
      if (isPassed) {
        continue;
      }
    }
    checkpoint();
    const matches = finder
      .find(block, range, false, Number.POSITIVE_INFINITY)
      .filter(
        (match) =>
          after === undefined || streamId !== after.streamId || isPast(match, after, reverse),
      )
      .sort((a, b) => (reverse ? b.index - a.index : a.index - b.index))
      .slice(0, limit - rows);
    if (matches.length > 0) {
      rows += matches.length;
      yield matches;
    }
  }
}

function mayHoldPast(block: Block, after: StreamKey, reverse: boolean): boolean {
  return reverse ? block.firstSeq < after.seq : block.firstSeq + block.count - 1 > after.seq;
}

function isPast(match: Match, after: StreamKey, reverse: boolean): boolean {
  return reverse ? match.seq < after.seq : match.seq > after.seq;
}

function compareBlocks(a: Block, b: Block): number {
  return compareStreams(a.stream, b.stream) || a.firstSeq - b.firstSeq;
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
