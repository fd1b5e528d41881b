import {
  canBePartial,
  compileFilter,
  type Query,
  type RecordFilter,
  requiredWordSets,
  type Stage,
} from "@sluice/query";

import type { HeadDatabase } from "../head/head-file.ts";
import { Visibility } from "../manifest/visibility.ts";
import { isLiveSegment } from "../manifest/manifest.ts";
import type { SegmentCache } from "../segment/segment-cache.ts";
import { MatchFinder } from "./match-finder.ts";
import { RecordFinder } from "./record-finder.ts";
import { decodePageToken, type PageStart } from "./page-token.ts";
import { type Catalog, type Moment, readCatalog } from "./run-catalog.ts";
import { DecodedCache, RunReader } from "./run-reader.ts";
import { SearchError } from "./search-error.ts";
import type { SearchProgress, SearchRequest, SearchSummary } from "./search-request.ts";
import { type PlannedRuns, planRuns } from "./segment-plan.ts";

export interface SearchControl {
  /** Throws to end the search; called between blocks. */
  readonly checkpoint: () => void;
  readonly progress: (progress: SearchProgress) => void;
}

/** What a thread keeps open and decoded from search to search. */
export interface SearchParts {
  readonly db: HeadDatabase;
  readonly segments: SegmentCache;
  readonly cache: DecodedCache;
}

/** A search that knows what it has to read. */
export interface PlannedSearch {
  readonly request: SearchRequest;
  readonly query: Query;
  readonly filter: RecordFilter;
  readonly catalog: Catalog;
  readonly planned: PlannedRuns;
  readonly reader: RunReader;
  readonly records: RecordFinder;
  readonly finder: MatchFinder;
  /** Whether the stages ask for more of the records than stream, time and severity. */
  readonly needsBodies: boolean;
  /** Where an earlier page ended. */
  readonly start: PageStart | undefined;
  /** Throws to end the search; called before each block. */
  readonly checkpoint: () => void;
  readonly startedMs: number;
  readonly planMs: number;
}

/**
 * Plans a search: which runs may hold matches, without reading any.
 *
 * @param moment what the search sees; undefined for what is stored now
 * @throws SearchError for a request that makes no sense, SegmentError where a segment went away meanwhile
 */
export function planSearch(
  { db, segments, cache }: SearchParts,
  request: SearchRequest,
  query: Query,
  control: SearchControl,
  moment?: Moment,
): PlannedSearch {
  const startedMs = performance.now();
  const start =
    request.page === undefined
      ? undefined
      : decodePageToken(request.page, request, Visibility.read(db));
  const filter = compileFilter(query.filter);
  const catalog = readCatalog(
    db,
    request,
    moment ?? start?.moment,
    (stream) => filter.streamMayMatch(stream) !== "no",
  );
  segments.retain(new Set(catalog.segmentPaths));
  const words = requiredWordSets(query.filter);
  const planned = planRuns(catalog, request, filter, words, segments, {
    isMissing: ({ id }) => isLiveSegment(db, id),
    checkpoint: control.checkpoint,
  });
  const reader = new RunReader(
    db,
    segments,
    canBePartial(query.stages) ? DecodedCache.passing() : cache,
  );
  const { deletes } = catalog;
  const records = new RecordFinder({ filter, reader, deletes, arrived: request.arrived });
  const finder = new MatchFinder(records, reader);
  const checkpoint = (): void => {
    control.checkpoint();
    const { blocksRead, bytesRead } = reader;
    control.progress({ blocksRead, blocksTotal: planned.withWords, bytesRead });
    if (bytesRead > (request.maxReadBytes ?? Number.POSITIVE_INFINITY)) {
      throw new SearchError(
        "too-much",
        `the search has read ${bytesRead} bytes and may read ${request.maxReadBytes}: narrow it with --since, --until or another word`,
      );
    }
  };
  const planMs = performance.now() - startedMs;
  return {
    request,
    query,
    filter,
    catalog,
    planned,
    reader,
    records,
    finder,
    needsBodies: needsBodies(query.stages),
    start,
    checkpoint,
    startedMs,
    planMs,
  };
}

/** What a search has to say of itself at its end. */
export function summarize(
  search: PlannedSearch,
  { rows, renderMs, counted, nextPage }: SearchOutcome,
): SearchSummary {
  const { catalog, planned, reader, records, planMs, startedMs } = search;
  return {
    rows,
    elapsedMs: performance.now() - startedMs,
    highWater: catalog.moment.highWater,
    version: catalog.moment.version,
    blocksRead: reader.blocksRead,
    blocksTotal: planned.withWords,
    bytesRead: reader.bytesRead,
    damaged: reader.damaged + planned.unreadable,
    ...(nextPage !== undefined && { nextPage }),
    plan: {
      streamsTotal: catalog.streamsTotal,
      streamsLeft: catalog.streams.size,
      segmentsTotal: catalog.segmentPaths.length,
      segmentsLeft: catalog.segments.length,
      blocksTotal: catalog.blocksTotal,
      blocksInTimeRange: planned.inTimeRange,
      blocksOfSeverity: planned.ofSeverity,
      blocksWithWords: planned.withWords,
      blocksCounted: counted,
      blocksLeft: reader.blocksRead,
      phasesMs: { plan: planMs, read: reader.readMs, scan: records.scanMs, render: renderMs },
    },
  };
}

export interface SearchOutcome {
  readonly rows: number;
  readonly renderMs: number;
  /** Runs that were counted without being read. */
  readonly counted: number;
  readonly nextPage: string | undefined;
}

/** Fields that are known of a record without its body and attributes. */
const INDEX_FIELDS = new Set(["host", "source", "level", "severity", "time"]);

/** Whether whole records come out at the end, or a stage looks into them. */
function needsBodies(stages: readonly Stage[]): boolean {
  return stages.every(({ kind }) => kind === "limit") || stages.some(readsBodies);
}

function readsBodies(stage: Stage): boolean {
  switch (stage.kind) {
    case "stats":
      return (
        stage.by.some((key) => key.kind === "field" && !INDEX_FIELDS.has(key.field)) ||
        stage.aggregates.some((one) => one.kind !== "count" && !INDEX_FIELDS.has(one.field))
      );
    case "top":
      return !INDEX_FIELDS.has(stage.field);
    case "fields":
    case "sort":
      return true;
    case "limit":
      return false;
    default:
      return stage satisfies never;
  }
}
