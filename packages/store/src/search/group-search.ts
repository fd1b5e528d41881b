import type { RecordColumns } from "@sluice/protocol";
import {
  createPartial,
  metadataStats,
  type PartialPipeline,
  type PartialState,
} from "@sluice/query";

import type { OpenRun } from "./open-run.ts";
import type { FoundRecords } from "./record-finder.ts";
import { isWhollyVisible, type StoredRun } from "./run-catalog.ts";
import type { RenderedPage } from "./search-engine.ts";
import { SearchError } from "./search-error.ts";
import { type PlannedSearch, summarize } from "./search-plan.ts";
import type { SearchSummary } from "./search-request.ts";
import { mergeGroups } from "./staged-answer.ts";

const SEVERITIES = 25;

/** Raw bytes from which on it pays to have another thread help. */
const HELP_FROM_BYTES = 8 * 1024 * 1024;

/** What one thread has grouped of a search's records. It can be cloned into another thread. */
export interface GroupShare {
  readonly state: PartialState;
  readonly blocksRead: number;
  readonly bytesRead: number;
  readonly damaged: number;
  readonly counted: number;
  readonly readMs: number;
  readonly scanMs: number;
}

/** The next of the runs that no thread has taken: one counter for all of them. */
export function claimer(counter: Int32Array): () => number {
  return () => Atomics.add(counter, 0, 1);
}

/** Whether there is enough to read for a second thread. */
export function isLarge({ planned, query }: PlannedSearch): boolean {
  if (metadataStats(query)?.bucketMs === undefined && metadataStats(query) !== undefined) {
    return false;
  }
  let bytes = 0;
  for (const run of planned.runs) {
    bytes += run.bodyBytes;
    if (bytes >= HELP_FROM_BYTES) {
      return true;
    }
  }
  return false;
}

/**
 * Groups the records of the runs that are claimed, until all are. Each thread plans the search for the
 * same moment and so has the same list of runs.
 */
export function groupShare(search: PlannedSearch, claim: () => number): GroupShare {
  const { planned, query, filter, records, reader, request, checkpoint } = search;
  const partial = createPartial(query.stages);
  const hasMetadata = metadataStats(query) !== undefined;
  const range = { fromUs: request.fromUs, untilUs: request.untilUs };
  const wanted = { range, reverse: false, limit: Number.POSITIVE_INFINITY };
  let counted = 0;
  for (let at = claim(); at < planned.runs.length; at = claim()) {
    const run = planned.runs[at] as StoredRun;
    if (hasMetadata && isWhole(search, run)) {
      const state = partial.pushRun(summaryOf(run), filter.severitiesOf(run.stream));
      if (state === "failed") {
        break;
      }
      if (state !== "needs records") {
        counted += 1;
        continue;
      }
    }
    checkpoint();
    const found = records.find(run, wanted);
    if (found !== undefined && pushFound(partial, run, found, search) === "failed") {
      break;
    }
    reader.release();
  }
  const { blocksRead, bytesRead, damaged, readMs } = reader;
  return {
    state: partial.state(),
    blocksRead,
    bytesRead,
    damaged,
    counted,
    readMs,
    scanMs: records.scanMs,
  };
}

/** Puts the shares together: the rows that one thread would have made of all the records. */
export function* mergeShares(
  search: PlannedSearch,
  shares: readonly GroupShare[],
): Generator<RenderedPage, SearchSummary> {
  const { request, query } = search;
  const startedMs = performance.now();
  if (request.afterId !== undefined || request.page !== undefined) {
    throw new SearchError(
      "request-invalid",
      "a query with stages has one answer: it cannot be paged through",
    );
  }
  const limit = request.limit ?? Number.POSITIVE_INFINITY;
  let rows = 0;
  for (const page of mergeGroups(
    shares.map(({ state }) => state),
    query.stages,
    limit,
  )) {
    rows += page.rows;
    if (page.rows > 0) {
      yield page;
    }
  }
  const sum = (figure: Exclude<keyof GroupShare, "state">): number =>
    shares.reduce((total, share) => total + share[figure], 0);
  const renderMs = performance.now() - startedMs;
  const own = summarize(search, { rows, renderMs, counted: sum("counted"), nextPage: undefined });
  return {
    ...own,
    blocksRead: sum("blocksRead"),
    bytesRead: sum("bytesRead"),
    damaged: sum("damaged") + search.planned.unreadable,
    plan: {
      ...own.plan,
      blocksLeft: sum("blocksRead"),
      phasesMs: { ...own.plan.phasesMs, read: sum("readMs"), scan: sum("scanMs") },
    },
  };
}

function pushFound(
  partial: PartialPipeline,
  run: StoredRun,
  { open, records, columns }: FoundRecords,
  { needsBodies, reader }: PlannedSearch,
): ReturnType<PartialPipeline["pushMany"]> {
  if (columns !== undefined) {
    return partial.pushMany(run.stream, columns, records);
  }
  if (!needsBodies) {
    return partial.pushMany(run.stream, new BodilessColumns(open), records);
  }
  const gathered = open.gather(records);
  if (gathered === undefined) {
    reader.markDamaged(run);
    return "more";
  }
  return partial.pushMany(run.stream, gathered);
}

/** Records of which only times and severities are asked for, decoded when they are. */
class BodilessColumns implements RecordColumns {
  readonly #open: OpenRun;
  readonly count: number;
  readonly bodies: Uint8Array = new Uint8Array(0);
  readonly attributes = undefined;
  #bodyOffsets: Uint32Array | undefined;

  constructor(open: OpenRun) {
    this.#open = open;
    this.count = open.count;
  }

  get timesUs(): Float64Array {
    return this.#open.timesUs;
  }

  get severities(): Uint8Array {
    return this.#open.severities;
  }

  get bodyOffsets(): Uint32Array {
    return (this.#bodyOffsets ??= new Uint32Array(this.count + 1));
  }
}

/** Whether each record of a run that the filter takes by its severity counts, so that none needs to be looked at. */
function isWhole({ request, catalog }: PlannedSearch, run: StoredRun): boolean {
  const { fromUs, untilUs, arrived } = request;
  return (
    isWhollyVisible(run) &&
    (fromUs === undefined || run.minTimeUs >= fromUs) &&
    (untilUs === undefined || run.maxTimeUs < untilUs) &&
    (arrived === undefined || (run.firstBatch > arrived.after && run.lastBatch <= arrived.upTo)) &&
    !catalog.deletes.some((one) => run.firstReceivedUs <= one.receivedUs)
  );
}

function summaryOf(run: StoredRun): Parameters<PartialPipeline["pushRun"]>[0] {
  const { stream, count, minTimeUs, maxTimeUs, severities, severityCounts } = run;
  if (severityCounts === undefined) {
    return { stream, count, minTimeUs, maxTimeUs, severities };
  }
  const bySeverity = new Uint32Array(SEVERITIES);
  for (let i = 0; i < severityCounts.length; i += 2) {
    bySeverity[severityCounts[i] ?? 0] = severityCounts[i + 1] ?? 0;
  }
  return { stream, count, minTimeUs, maxTimeUs, severities, severityCounts: bySeverity };
}
