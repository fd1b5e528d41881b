import { BATCH_COLUMNS, type BatchEntry } from "../head/batch-run.ts";
import type { HeadDatabase } from "../head/head-file.ts";
import {
  BatchRemovals,
  manifestVersion,
  reclaimedVersion,
  type SegmentEntry,
  segmentsAt,
} from "../manifest/manifest.ts";
import { type ActiveDelete, activeDeletes, Visibility } from "../manifest/visibility.ts";
import type { RunFacts } from "../segment/run-facts.ts";
import type { SegmentRun } from "../segment/segment-file.ts";
import { PAGE_EXPIRED, SearchError } from "./search-error.ts";
import type { SearchRequest } from "./search-request.ts";

/** A stream as a search sees it. */
export interface CatalogStream {
  readonly streamId: number;
  readonly agentId: string;
  readonly host: string;
  readonly source: string;
  readonly generation: number;
  readonly labels: Readonly<Record<string, string>>;
  /** By severity: the receipt time from which its records are visible. */
  readonly visibleFromUs: Float64Array;
}

/** Records of one stream that lie together, in the head or in a segment: what is known of them without reading them. */
export interface StoredRun extends Omit<RunFacts, "streamId" | "severityCounts"> {
  /** Unique in its catalog, and the same in each catalog of the same moment. */
  readonly key: string;
  readonly place: RunPlace;
  readonly stream: CatalogStream;
  /** [severity, count, severity, count, ...] where that is known. */
  readonly severityCounts: readonly number[] | undefined;
}

type RunPlace =
  | { readonly kind: "batch"; readonly entry: BatchEntry }
  | { readonly kind: "block"; readonly path: string; readonly run: SegmentRun };

/** The moment that a search sees: nothing that is added or removed later changes its answer. */
export interface Moment {
  readonly version: number;
  /** Highest batch id. */
  readonly highWater: number;
  readonly visibility: Visibility;
}

/** What the head says of a moment. Segments are only named: their runs are listed from their files. */
export interface Catalog {
  readonly moment: Moment;
  readonly streams: ReadonlyMap<number, CatalogStream>;
  readonly streamsTotal: number;
  /** Of the head: those that may hold a visible record of the request's time range, in no order. */
  readonly batches: readonly StoredRun[];
  /** Of all segments of the moment. */
  readonly segmentPaths: readonly string[];
  readonly blocksTotal: number;
  /** Those that may hold a record of the request's time range. */
  readonly segments: readonly SegmentEntry[];
  /** What was deleted, and is still in the files. */
  readonly deletes: readonly ActiveDelete[];
}

/**
 * What a search can see, taken in one short transaction: ingest, compaction and pruning go on meanwhile
 * without changing its answer, and no snapshot holds the WAL open.
 *
 * @param at the moment of an earlier page; undefined for now
 * @param isWanted whether a stream may hold what is looked for
 * @throws SearchError `page-expired` where what that moment saw may be gone
 */
export function readCatalog(
  db: HeadDatabase,
  request: SearchRequest,
  at: Moment | undefined,
  isWanted: (stream: CatalogStream) => boolean,
): Catalog {
  return db.transaction(() => {
    const moment = at ?? {
      version: manifestVersion(db),
      highWater: readHighWater(db),
      visibility: Visibility.read(db),
    };
    const { version, highWater, visibility } = moment;
    if (version < reclaimedVersion(db)) {
      throw new SearchError("page-expired", PAGE_EXPIRED);
    }
    const all = readStreams(db, visibility);
    const streams = new Map(
      all.filter(isWanted).map((stream) => [stream.streamId, stream] as const),
    );
    const range = rangeOf(request, highWater);
    const removals = new BatchRemovals(db, version);
    const rows = db
      .prepare(
        `SELECT ${BATCH_COLUMNS} FROM batches
         WHERE id > :after AND id <= :upTo AND max_time_us >= :fromUs AND min_time_us < :untilUs`,
      )
      .all(range) as BatchEntry[];
    const batches = rows.flatMap((entry) => {
      const stream = streams.get(entry.streamId);
      return stream === undefined || removals.has(entry.id) ? [] : [batchRun(entry, stream)];
    });
    const segments = segmentsAt(db, version);
    return {
      moment,
      streams,
      streamsTotal: all.length,
      batches: batches.filter((run) => isVisible(run.stream, run)),
      segmentPaths: segments.map(({ path }) => path),
      blocksTotal: rows.length + segments.reduce((sum, { blocks }) => sum + blocks, 0),
      segments: segments.filter(
        (segment) =>
          segment.maxTimeUs >= range.fromUs &&
          segment.minTimeUs < range.untilUs &&
          segment.lastBatch > range.after &&
          segment.firstBatch <= range.upTo,
      ),
      deletes: activeDeletes(db, version),
    };
  })();
}

/** A run of a segment as a search sees it. */
export function segmentRun(path: string, run: SegmentRun, stream: CatalogStream): StoredRun {
  return { ...run, key: `${path}#${run.id}`, place: { kind: "block", path, run }, stream };
}

/** Whether every record of the run is visible as far as retention is concerned, so that none needs to be asked. */
export function isWhollyVisible({ severities, stream, firstReceivedUs }: StoredRun): boolean {
  return stream.visibleFromUs.every(
    (fromUs, severity) => (severities & (1 << severity)) === 0 || firstReceivedUs >= fromUs,
  );
}

/** Whether retention leaves any of a run's records visible. */
export function isVisible(
  { visibleFromUs }: CatalogStream,
  { severities, lastReceivedUs }: Pick<StoredRun, "severities" | "lastReceivedUs">,
): boolean {
  for (let rest = severities; rest !== 0; rest &= rest - 1) {
    const severity = 31 - Math.clz32(rest & -rest);
    if (lastReceivedUs >= (visibleFromUs[severity] ?? Number.POSITIVE_INFINITY)) {
      return true;
    }
  }
  return false;
}

/** The bounds that a request sets, with none left out. Batch ids: after the first, up to and including the second. */
export function rangeOf(
  { fromUs, untilUs, arrived }: SearchRequest,
  highWater: number,
): { fromUs: number; untilUs: number; after: number; upTo: number } {
  return {
    fromUs: fromUs ?? Number.MIN_SAFE_INTEGER,
    untilUs: untilUs ?? Number.MAX_SAFE_INTEGER,
    after: arrived?.after ?? 0,
    upTo: Math.min(arrived?.upTo ?? highWater, highWater),
  };
}

function batchRun(entry: BatchEntry, stream: CatalogStream): StoredRun {
  const { id, count, firstSeq, receivedUs, minTimeUs, maxTimeUs, severities, bodyBytes } = entry;
  const isOfOne = (severities & (severities - 1)) === 0;
  return {
    key: `#${id}`,
    place: { kind: "batch", entry },
    stream,
    count,
    firstSeq,
    lastSeq: firstSeq + count - 1,
    minTimeUs,
    maxTimeUs,
    firstReceivedUs: receivedUs,
    lastReceivedUs: receivedUs,
    firstBatch: id,
    lastBatch: id,
    severities,
    bodyBytes,
    severityCounts: isOfOne ? [31 - Math.clz32(severities), count] : undefined,
  };
}

function readHighWater(db: HeadDatabase): number {
  const seq: unknown = db
    .prepare("SELECT seq FROM sqlite_sequence WHERE name = 'batches'")
    .pluck()
    .get();
  return Number(seq ?? 0);
}

function readStreams(db: HeadDatabase, visibility: Visibility): CatalogStream[] {
  const rows = db
    .prepare(
      `SELECT streams.id AS streamId, agents.agent_id AS agentId, streams.host, source, generation, streams.labels
       FROM streams JOIN agents ON agents.id = streams.agent`,
    )
    .all() as Array<Omit<CatalogStream, "labels" | "visibleFromUs"> & { labels: string }>;
  return rows.map((row) => {
    const stream = { ...row, labels: JSON.parse(row.labels) as Record<string, string> };
    return { ...stream, visibleFromUs: visibility.visibleFromUs(stream) };
  });
}
