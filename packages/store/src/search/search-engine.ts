import type { Match } from "./match-finder.ts";
import { encodePageToken } from "./page-token.ts";
import { parseRecordId, renderBodies, renderRows } from "./row-writer.ts";
import { SearchError } from "./search-error.ts";
import { type PlannedSearch, summarize } from "./search-plan.ts";
import type { SearchRequest, SearchSummary } from "./search-request.ts";
import { matchesWanted, runStages, type StagedPage, takesAnyOrder } from "./staged-answer.ts";
import { walkByStream } from "./stream-walk.ts";
import { mergeByTime, type TimeKey } from "./time-merge.ts";

/** A page of the answer, rendered. */
export interface RenderedPage {
  readonly rows: number;
  readonly bytes: Uint8Array;
}

/**
 * Carries out a planned search whose rows come one after the other. Memory is bounded whatever the
 * size of the answer: a page is rendered and given out before the next is found.
 *
 * @throws SearchError for a request that makes no sense
 */
export function* runSearch(search: PlannedSearch): Generator<RenderedPage, SearchSummary> {
  const { request, query, catalog } = search;
  const render = request.render === "bodies" ? renderBodies : renderRows;
  let rows = 0;
  let renderMs = 0;
  let last: Match | undefined;
  for (const page of answerPages(search)) {
    const rendered = renderPage(page, render);
    rows += rendered.rows;
    renderMs += rendered.tookMs;
    last = page.kind === "records" ? (page.matches.at(-1) ?? last) : last;
    if (rendered.rows > 0) {
      yield rendered;
    }
  }
  const mayGoOn = query.stages.length === 0 && rows === request.limit && request.isLast !== true;
  const nextPage =
    mayGoOn && last !== undefined
      ? encodePageToken(request, catalog.moment, keyOf(last))
      : undefined;
  return summarize(search, { rows, renderMs, counted: 0, nextPage });
}

/** The rows of the answer: the matches themselves, or what the query's stages make of them. */
function* answerPages(search: PlannedSearch): Generator<StagedPage> {
  const { request, query } = search;
  const { stages } = query;
  const limit = request.limit ?? Number.POSITIVE_INFINITY;
  if (stages.length === 0) {
    for (const matches of findPages(search, request.order, limit)) {
      yield { kind: "records", matches };
    }
    return;
  }
  if (request.afterId !== undefined || request.page !== undefined) {
    throw new SearchError(
      "request-invalid",
      "a query with stages has one answer: it cannot be paged through",
    );
  }
  // Stream by stream needs the least reading and memory, where the order makes no difference.
  const order = takesAnyOrder(stages) ? "stream" : request.order;
  const pages = findPages(search, order, matchesWanted(stages, limit));
  yield* runStages(pages, stages, limit);
}

function findPages(
  search: PlannedSearch,
  order: SearchRequest["order"],
  limit: number,
): Generator<Match[]> {
  const { request, catalog, planned, finder, checkpoint } = search;
  const { reverse } = request;
  const range = { fromUs: request.fromUs, untilUs: request.untilUs };
  const options = { finder, range, reverse, limit, checkpoint };
  switch (order) {
    case "stream": {
      const after = search.start?.after ?? readAfter(request);
      if (after !== undefined && !catalog.streams.has(after.streamId)) {
        throw new SearchError(
          "request-invalid",
          `the record ${request.afterId} is not one of this query's`,
        );
      }
      return walkByStream(planned.runs, catalog.streams, { ...options, after });
    }
    case "time": {
      const after = search.start?.after ?? timeKeyOf(search, readAfter(request));
      return mergeByTime(planned.runs, { ...options, after });
    }
    default:
      return order satisfies never;
  }
}

function readAfter({ afterId }: SearchRequest): { streamId: number; seq: number } | undefined {
  const after = afterId === undefined ? undefined : parseRecordId(afterId);
  if (after === undefined && afterId !== undefined) {
    throw new SearchError("request-invalid", `"${afterId}" is not the id of a record`);
  }
  return after;
}

/** The order by time needs the record's own time: it is looked up where it lies. */
function timeKeyOf(
  { planned, finder }: PlannedSearch,
  after: { streamId: number; seq: number } | undefined,
): TimeKey | undefined {
  if (after === undefined) {
    return undefined;
  }
  const { streamId, seq } = after;
  for (const run of planned.runs) {
    if (run.stream.streamId === streamId && run.firstSeq <= seq && run.lastSeq >= seq) {
      const timeUs = finder.timeOf(run, seq);
      if (timeUs !== undefined) {
        return { timeUs, streamId, seq };
      }
    }
  }
  throw new SearchError(
    "page-expired",
    `the record ${streamId}-${seq} is no longer stored: begin the query again`,
  );
}

function keyOf({ timeUs, seq, run }: Match): TimeKey {
  return { timeUs, streamId: run.stream.streamId, seq };
}

function renderPage(
  page: StagedPage,
  render: (matches: readonly Match[]) => Uint8Array,
): RenderedPage & { tookMs: number } {
  if (page.kind === "table") {
    return { ...page, tookMs: 0 };
  }
  const startedMs = performance.now();
  const bytes = render(page.matches);
  return { rows: page.matches.length, bytes, tookMs: performance.now() - startedMs };
}
