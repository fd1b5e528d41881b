import { compileRules, cutoffTable, type RuleMatcher } from "@sluice/retention";

import type { HeadDatabase } from "../head/head-file.ts";
import type { Visibility } from "../head/pruner.ts";
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

/** A batch of the head: what is known of its records without reading them. */
export interface Block {
  readonly id: number;
  readonly stream: CatalogStream;
  readonly firstSeq: number;
  readonly count: number;
  readonly minTimeUs: number;
  readonly maxTimeUs: number;
  readonly receivedUs: number;
  /** Bit n is set when a record of severity n is among them. */
  readonly severities: number;
  readonly rawBytes: number;
}

export interface Catalog {
  readonly streams: readonly CatalogStream[];
  readonly streamsTotal: number;
  /** Those that may hold a visible record of the request's time range, in no order. */
  readonly blocks: readonly Block[];
  readonly highWater: number;
}

const SEVERITIES = 25;

type BlockRow = [number, number, number, number, number, number, number, number, number];

/**
 * What a search can see, taken in one short transaction: ingest and pruning go on meanwhile
 * without changing its answer, and no snapshot holds the WAL open.
 *
 * @param isWanted whether a stream may hold what is looked for
 */
export function readCatalog(
  db: HeadDatabase,
  request: SearchRequest,
  isWanted: (stream: CatalogStream) => boolean,
): Catalog {
  return db.transaction(() => {
    const highWater = Number(
      db.prepare("SELECT seq FROM sqlite_sequence WHERE name = 'batches'").pluck().get() ?? 0,
    );
    const all = readStreams(db, readVisibility(db));
    const streams = new Map<number, CatalogStream>();
    for (const stream of all) {
      if (isWanted(stream)) {
        streams.set(stream.streamId, stream);
      }
    }
    const { after, upTo } = request.arrived ?? { after: 0, upTo: highWater };
    const rows = db
      .prepare(
        `SELECT id, stream, first_seq, count, min_time_us, max_time_us, received_us, severities, raw_bytes
         FROM batches
         WHERE id > ? AND id <= ? AND max_time_us >= ? AND min_time_us < ? AND removed IS NULL`,
      )
      .raw()
      .all(
        after,
        Math.min(upTo, highWater),
        request.fromUs ?? Number.MIN_SAFE_INTEGER,
        request.untilUs ?? Number.MAX_SAFE_INTEGER,
      ) as BlockRow[];
    const blocks: Block[] = [];
    for (const row of rows) {
      const stream = streams.get(row[1]);
      if (stream !== undefined) {
        const block = toBlock(row, stream);
        if (isVisible(block)) {
          blocks.push(block);
        }
      }
    }
    return { streams: [...streams.values()], streamsTotal: all.length, blocks, highWater };
  })();
}

/** Whether every record of the block is visible, so that none needs to be asked. */
export function isWhollyVisible({ severities, stream, receivedUs }: Block): boolean {
  return stream.visibleFromUs.every(
    (fromUs, severity) => (severities & (1 << severity)) === 0 || receivedUs >= fromUs,
  );
}

function isVisible({ severities, stream, receivedUs }: Block): boolean {
  return stream.visibleFromUs.some(
    (fromUs, severity) => (severities & (1 << severity)) !== 0 && receivedUs >= fromUs,
  );
}

function toBlock(row: BlockRow, stream: CatalogStream): Block {
  const [id, , firstSeq, count, minTimeUs, maxTimeUs, receivedUs, severities, rawBytes] = row;
  return {
    id,
    stream,
    firstSeq,
    count,
    minTimeUs,
    maxTimeUs,
    receivedUs,
    severities,
    rawBytes,
  };
}

function readVisibility(
  db: HeadDatabase,
): { visibility: Visibility; rules: RuleMatcher } | undefined {
  const text: unknown = db.prepare("SELECT value FROM meta WHERE key = 'visibility'").pluck().get();
  if (typeof text !== "string") {
    return undefined;
  }
  const visibility = JSON.parse(text) as Visibility;
  return { visibility, rules: compileRules(visibility.policy) };
}

function readStreams(
  db: HeadDatabase,
  retention: ReturnType<typeof readVisibility>,
): CatalogStream[] {
  const rows = db
    .prepare(
      `SELECT streams.id AS streamId, agents.agent_id AS agentId, streams.host, source, generation, streams.labels
       FROM streams JOIN agents ON agents.id = streams.agent`,
    )
    .all() as Array<Omit<CatalogStream, "labels" | "visibleFromUs"> & { labels: string }>;
  const everything = new Float64Array(SEVERITIES).fill(Number.NEGATIVE_INFINITY);
  return rows.map((row) => {
    const stream = { ...row, labels: JSON.parse(row.labels) as Record<string, string> };
    const visibleFromUs =
      retention === undefined
        ? everything
        : cutoffTable(retention.rules.rulesFor(stream), retention.visibility.cutoffs);
    return { ...stream, visibleFromUs };
  });
}
