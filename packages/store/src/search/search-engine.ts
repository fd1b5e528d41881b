import { compileFilter, type Query, type Stage } from "@sluice/query";

import { type Catalog, readCatalog } from "./block-catalog.ts";
import { BlockReader } from "./block-reader.ts";
import type { HeadDatabase } from "../head/head-file.ts";
import { type Match, MatchFinder } from "./match-finder.ts";
import { parseRecordId, renderBodies, renderRows } from "./row-writer.ts";
import { SearchError } from "./search-error.ts";
import type { SearchProgress, SearchRequest, SearchSummary } from "./search-request.ts";
import { matchesWanted, runStages, type StagedPage, takesAnyOrder } from "./staged-answer.ts";
import { walkByStream } from "./stream-walk.ts";
import { mergeByTime, type TimeKey } from "./time-merge.ts";

export interface EngineControl {
  /** Throws to end the search; called between blocks. */
  readonly checkpoint: () => void;
  readonly progress: (progress: SearchProgress) => void;
}

/** A page of the answer, rendered. */
export interface RenderedPage {
  readonly rows: number;
  readonly bytes: Uint8Array;
}

/**
 * Carries out one search on one connection. Memory is bounded whatever the size of the answer: a
 * page is rendered and given out before the next is found.
 *
 * @throws SearchError for a request that makes no sense
 */
export function* runSearch(
  db: HeadDatabase,
  request: SearchRequest,
  query: Query,
  control: EngineControl,
): Generator<RenderedPage, SearchSummary> {
  const startedMs = performance.now();
  const filter = compileFilter(query.filter);
  const catalog = readCatalog(db, request, (stream) => filter.streamMayMatch(stream) !== "no");
  const planMs = performance.now() - startedMs;
  const reader = new BlockReader(db);
  const finder = new MatchFinder(filter, reader);
  const blocksTotal = catalog.blocks.length;
  const checkpoint = (): void => {
    control.checkpoint();
    control.progress({ blocksRead: reader.blocksRead, blocksTotal, bytesRead: reader.bytesRead });
  };
  const answer = answerPages(db, request, query.stages, { catalog, finder, checkpoint });
  const rendering = renderPages(answer, request.render === "bodies" ? renderBodies : renderRows);
  let rows = 0;
  let renderMs = 0;
  for (const page of rendering) {
    rows += page.rows;
    renderMs += page.tookMs;
    if (page.rows > 0) {
      yield page;
    }
  }
  return {
    rows,
    elapsedMs: performance.now() - startedMs,
    highWater: catalog.highWater,
    blocksRead: reader.blocksRead,
    blocksTotal,
    bytesRead: reader.bytesRead,
    damaged: reader.damaged,
    plan: {
      streamsTotal: catalog.streamsTotal,
      streamsLeft: catalog.streams.length,
      blocksInTimeRange: blocksTotal,
      blocksLeft: reader.blocksRead,
      phasesMs: { plan: planMs, read: reader.readMs, scan: finder.scanMs, render: renderMs },
    },
  };
}

interface Matching {
  readonly catalog: Catalog;
  readonly finder: MatchFinder;
  readonly checkpoint: () => void;
}

/** The rows of the answer: the matches themselves, or what the query's stages make of them. */
function* answerPages(
  db: HeadDatabase,
  request: SearchRequest,
  stages: readonly Stage[],
  matching: Matching,
): Generator<StagedPage> {
  const limit = request.limit ?? Number.POSITIVE_INFINITY;
  if (stages.length === 0) {
    for (const matches of findPages(db, request, request.order, limit, matching)) {
      yield { kind: "records", matches };
    }
    return;
  }
  if (request.afterId !== undefined) {
    throw new SearchError(
      "failed",
      "a query with stages has one answer: it cannot be paged through",
    );
  }
  // Stream by stream needs the least reading and memory, where the order makes no difference.
  const order = takesAnyOrder(stages) ? "stream" : request.order;
  const pages = findPages(db, request, order, matchesWanted(stages, limit), matching);
  yield* runStages(pages, stages, limit);
}

function findPages(
  db: HeadDatabase,
  request: SearchRequest,
  order: SearchRequest["order"],
  limit: number,
  { catalog, finder, checkpoint }: Matching,
): Generator<Match[]> {
  const { reverse } = request;
  const range = { fromUs: request.fromUs, untilUs: request.untilUs };
  const after = request.afterId === undefined ? undefined : readAfter(request.afterId);
  switch (order) {
    case "stream": {
      const streams = new Map(catalog.streams.map((stream) => [stream.streamId, stream]));
      if (after !== undefined && !streams.has(after.streamId)) {
        throw new SearchError("failed", `the record ${request.afterId} is not one of this query's`);
      }
      const options = { finder, range, reverse, limit, after, checkpoint };
      return walkByStream(catalog.blocks, streams, options);
    }
    case "time": {
      const key = after === undefined ? undefined : timeKeyOf(db, catalog, finder, after);
      return mergeByTime(catalog.blocks, { finder, range, reverse, limit, after: key, checkpoint });
    }
    default:
      return order satisfies never;
  }
}

function readAfter(id: string): { streamId: number; seq: number } {
  const after = parseRecordId(id);
  if (after === undefined) {
    throw new SearchError("failed", `"${id}" is not the id of a record`);
  }
  return after;
}

/** The order by time needs the record's own time: it is looked up where it lies. */
function timeKeyOf(
  db: HeadDatabase,
  catalog: Catalog,
  finder: MatchFinder,
  after: { streamId: number; seq: number },
): TimeKey {
  const { streamId, seq } = after;
  const id: unknown = db
    .prepare("SELECT id FROM batches WHERE stream = ? AND first_seq <= ? AND first_seq + count > ?")
    .pluck()
    .get(streamId, seq, seq);
  const block = catalog.blocks.find((candidate) => candidate.id === id);
  const timeUs = block === undefined ? undefined : finder.timeAt(block, seq - block.firstSeq);
  if (timeUs === undefined) {
    throw new SearchError(
      "failed",
      `the record ${streamId}-${seq} is no longer stored: begin the query again`,
    );
  }
  return { timeUs, streamId, seq };
}

function* renderPages(
  pages: Generator<StagedPage>,
  render: (matches: readonly Match[]) => Uint8Array,
): Generator<RenderedPage & { tookMs: number }> {
  for (const page of pages) {
    if (page.kind === "table") {
      yield { ...page, tookMs: 0 };
    } else {
      const startedMs = performance.now();
      const bytes = render(page.matches);
      yield { rows: page.matches.length, bytes, tookMs: performance.now() - startedMs };
    }
  }
}
