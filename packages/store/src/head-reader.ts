import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";

import {
  damagedHead,
  describeSqliteError,
  type HeadDatabase,
  openHeadForReading,
} from "./head/head-file.ts";
import { SearchPool } from "./search/search-pool.ts";
import type { SearchRequest, SearchRun } from "./search/search-request.ts";
import {
  type AgentInfo,
  BALLAST_NAME,
  type GapInfo,
  type JobInfo,
  type SegmentTotals,
  type StoredPart,
  type StoreReader,
  type StoreStats,
  type StreamInfo,
} from "./store-reader.ts";

/**
 * Opens a data folder for reading, also while a collector runs on it.
 *
 * @throws StoreError where there is no data, or it cannot be read
 */
export function openStoreReader(dataDir: string): StoreReader {
  return new HeadReader(dataDir);
}

/** Reads `head.db` beside its writer; searches run in threads of their own. */
class HeadReader implements StoreReader {
  readonly #dataDir: string;
  readonly #path: string;
  readonly #db: HeadDatabase;
  readonly #pool: SearchPool;

  constructor(dataDir: string) {
    this.#dataDir = dataDir;
    this.#path = join(dataDir, "head.db");
    this.#db = openHeadForReading(this.#path);
    this.#pool = new SearchPool(dataDir);
  }

  get storeId(): string {
    return this.#value("SELECT value FROM meta WHERE key = 'store_id'") as string;
  }

  get highWater(): number {
    const sql = "SELECT seq FROM sqlite_sequence WHERE name = 'batches'";
    return Number(this.#value(sql) ?? 0);
  }

  get headBytes(): number {
    const sql = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size";
    return Number(this.#value(sql));
  }

  get returnableBytes(): number {
    const sql = `SELECT
      (SELECT freelist_count * page_size FROM pragma_freelist_count, pragma_page_size)
      + (SELECT coalesce(sum(bytes), 0) FROM segments WHERE removed IS NOT NULL)
      + (SELECT coalesce(sum(length(payload)), 0) FROM batch_removals
         JOIN batches ON batches.id BETWEEN first_batch AND last_batch)`;
    return Number(this.#value(sql));
  }

  search(request: SearchRequest, signal: AbortSignal): SearchRun {
    return this.#pool.search(request, signal);
  }

  agents(): readonly AgentInfo[] {
    const rows = this.#rows(`SELECT id AS agent, agent_id AS agentId, host, version, labels,
                first_seen_us AS firstSeenUs, last_seen_us AS lastSeenUs
         FROM agents ORDER BY host, agent_id`) as Array<
      Omit<AgentInfo, "labels"> & { labels: string }
    >;
    return rows.map((row) => ({ ...row, labels: this.#parse(row.labels) as AgentInfo["labels"] }));
  }

  streams(): readonly StreamInfo[] {
    const rows =
      this.#rows(`SELECT streams.id AS streamId, agents.agent_id AS agentId, agent, streams.host AS host,
                source, generation, streams.labels AS labels, finished, records,
                body_bytes AS bytes, filtered_records AS filteredRecords,
                filtered_bytes AS filteredBytes, gaps, last_time_us AS lastTimeUs, last_received_us AS lastReceivedUs
         FROM streams JOIN agents ON agents.id = agent
         ORDER BY streams.host, agent, source, generation`) as Array<
        Omit<StreamInfo, "labels" | "isFinished" | "lastTimeUs" | "lastReceivedUs"> & {
          labels: string;
          finished: number;
          lastTimeUs: number | null;
          lastReceivedUs: number | null;
        }
      >;
    return rows.map(({ labels, finished, lastTimeUs, lastReceivedUs, ...row }) => ({
      ...row,
      labels: this.#parse(labels) as StreamInfo["labels"],
      isFinished: finished !== 0,
      lastTimeUs: lastTimeUs ?? undefined,
      lastReceivedUs: lastReceivedUs ?? undefined,
    }));
  }

  gaps(): readonly GapInfo[] {
    const rows =
      this.#rows(`SELECT host, source, generation, seq, cause, range, detail, gaps.records AS records,
                received_us AS receivedUs, noticed_us AS noticedUs
         FROM gaps JOIN streams ON streams.id = stream ORDER BY gaps.id`) as Array<
        Omit<GapInfo, "range" | "noticedUs"> & { range: string; noticedUs: number | null }
      >;
    return rows.map(({ range, noticedUs, ...row }) => ({
      ...row,
      range: this.#parse(range) as GapInfo["range"],
      noticedUs: noticedUs ?? undefined,
    }));
  }

  jobs(afterId = 0): readonly JobInfo[] {
    const rows = this.#rows(
      `SELECT id, kind, due_us AS dueUs, started_us AS startedUs, took_ms AS tookMs, outcome, detail
         FROM jobs WHERE id > ? ORDER BY id`,
      afterId,
    ) as Array<Omit<JobInfo, "outcome"> & { outcome: string }>;
    return rows.map((row) => ({ ...row, outcome: this.#parse(row.outcome) as JobInfo["outcome"] }));
  }

  stats(): StoreStats {
    const [counts] =
      this.#rows(`WITH head AS (SELECT count(*) AS batches, coalesce(sum(count), 0) AS records,
                  coalesce(sum(body_bytes), 0) AS body_bytes, coalesce(sum(length(payload)), 0) AS bytes,
                  min(received_us) AS oldest, max(received_us) AS newest FROM live_batches),
                live AS (SELECT count(*) AS segments, coalesce(sum(blocks), 0) AS blocks,
                  coalesce(sum(records), 0) AS records, coalesce(sum(body_bytes), 0) AS body_bytes,
                  coalesce(sum(bytes), 0) AS bytes, min(first_received_us) AS oldest,
                  max(last_received_us) AS newest FROM segments WHERE removed IS NULL)
         SELECT (SELECT count(*) FROM agents) AS agents, (SELECT count(*) FROM streams) AS streams,
                batches, segments, blocks, head.records + live.records AS records,
                head.body_bytes + live.body_bytes AS bodyBytes, head.bytes + live.bytes AS payloadBytes,
                min(coalesce(head.oldest, live.oldest), coalesce(live.oldest, head.oldest)) AS oldestReceivedUs,
                max(coalesce(head.newest, live.newest), coalesce(live.newest, head.newest)) AS newestReceivedUs
         FROM head, live`) as [
        Omit<StoreStats, "diskBytes" | "oldestReceivedUs" | "newestReceivedUs"> & {
          oldestReceivedUs: number | null;
          newestReceivedUs: number | null;
        },
      ];
    return {
      ...counts,
      diskBytes: folderBytes(this.#dataDir),
      oldestReceivedUs: counts.oldestReceivedUs ?? undefined,
      newestReceivedUs: counts.newestReceivedUs ?? undefined,
    };
  }

  segmentTotals(): SegmentTotals {
    const [totals] = this.#rows(`SELECT count(*) AS segments, coalesce(sum(blocks), 0) AS blocks,
                coalesce(sum(bytes), 0) AS bytes FROM segments WHERE removed IS NULL`) as [
      SegmentTotals,
    ];
    return totals;
  }

  parts(): readonly StoredPart[] {
    const rows = this.#rows(`SELECT 'batch' AS kind, id, stream AS streamId, severities,
                received_us AS firstReceivedUs, received_us AS lastReceivedUs,
                length(payload) AS bytes, count AS records
         FROM live_batches
         UNION ALL
         SELECT 'segment', segment, stream, segment_streams.severities, segment_streams.first_received_us,
                segment_streams.last_received_us, segment_streams.bytes, segment_streams.records
         FROM segment_streams JOIN segments ON segments.id = segment WHERE removed IS NULL`) as Array<
      Omit<StoredPart, "place"> & { kind: "batch" | "segment"; id: number }
    >;
    return rows.map(({ kind, id, ...part }) => ({
      ...part,
      place: kind === "batch" ? { kind, batch: id } : { kind, segment: id },
    }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool[Symbol.asyncDispose]();
    this.#db.close();
  }

  #rows(sql: string, ...parameters: readonly number[]): unknown[] {
    try {
      return this.#db.prepare(sql).all(...parameters);
    } catch (error) {
      throw describeSqliteError(error, this.#path);
    }
  }

  #value(sql: string): unknown {
    try {
      return this.#db.prepare(sql).pluck().get();
    } catch (error) {
      throw describeSqliteError(error, this.#path);
    }
  }

  /** Text that the writer made from a value; SQLite does not notice a byte that was flipped in it. */
  #parse(text: string): unknown {
    try {
      return JSON.parse(text);
    } catch (error) {
      throw damagedHead(this.#path, "a text column does not hold JSON", error);
    }
  }
}

/** Bytes of every file under a folder, as they count against a cap. */
function folderBytes(folder: string): number {
  let bytes = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (entry.isFile() && entry.name !== BALLAST_NAME) {
      // A file that goes away meanwhile (a WAL, a temporary one) takes nothing.
      bytes += statSync(join(entry.parentPath, entry.name), { throwIfNoEntry: false })?.size ?? 0;
    }
  }
  return bytes;
}
