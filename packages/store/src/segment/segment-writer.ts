import { join } from "node:path";
import { statSync } from "node:fs";
import Database, { type Statement } from "better-sqlite3";

import type { EncodedBlock } from "../block/block-encoder.ts";
import type { BlockDictionary } from "../block/dictionary.ts";
import type { TimeLayout } from "../block/time-layout.ts";
import type { SegmentStream } from "../manifest/manifest.ts";
import {
  discardSegment,
  makeSegmentFolder,
  newSegmentPath,
  publishSegment,
} from "../manifest/segment-folder.ts";
import type { NewSegment } from "../manifest/swap.ts";
import { encodeDirectory } from "../token-filter/filter-directory.ts";
import { SegmentFilterBuilder } from "../token-filter/segment-filter-builder.ts";
import { packDictionary } from "./dictionary-cache.ts";
import type { RunFacts } from "./run-facts.ts";
import {
  HAS_ATTRIBUTES,
  HIDES_WORDS,
  SEGMENT_APPLICATION_ID,
  SEGMENT_PAGE_BYTES,
  SEGMENT_SCHEMA,
  SEGMENT_SCHEMA_VERSION,
} from "./segment-schema.ts";

/** A stream as a segment names it. */
export interface StreamDescription {
  readonly streamId: number;
  readonly agentId: string;
  readonly source: string;
  readonly generation: number;
  readonly host: string;
  /** JSON. */
  readonly labels: string;
}

/** What a segment says of the job that wrote it, so that files alone tell which of them count. */
export interface SegmentOrigin {
  /** Shared by all segments that one job wrote. */
  readonly job: string;
  /** Segments, relative to data_dir, whose place all of the job's take together. */
  readonly replaces: readonly string[];
}

export interface SegmentPlace {
  readonly dataDir: string;
  readonly partition: string;
  /** UTC day of receipt, `YYYY-MM-DD`. */
  readonly day: string;
  /** zstd's level of the blocks. */
  readonly level: number;
  readonly origin: SegmentOrigin;
}

/** What keeps the words of a block's text from telling which fields its records have. */
export interface BlockTraits {
  readonly hasAttributes: boolean;
  /** An escape may make other words of a value than stand in the text. */
  readonly hidesWords: boolean;
}

/** What readers of a block need besides its bytes. */
export interface BlockDetails {
  /** How its timestamps are written that are not in its text. */
  readonly layouts: readonly TimeLayout[];
  readonly traits: BlockTraits;
  /** Id of the dictionary that its content was compressed against. */
  readonly dictionary: number | undefined;
}

/** Pages that may be dirty before SQLite writes them out: a segment is never held in memory. */
const CACHE_KIB = 4096;

/**
 * Writes one segment as `PATH.tmp`. Nothing of it counts before `publish`, so it is written without
 * a journal on the disk and synced once. Dispose without publishing to leave nothing.
 */
export class SegmentWriter implements Disposable {
  readonly #place: SegmentPlace;
  /** Where it is going to lie, relative to data_dir. */
  readonly path: string;
  readonly #db: Database.Database;
  readonly #insertBlock: Statement;
  readonly #insertDictionary: Statement;
  readonly #insertRun: Statement;
  readonly #insertStream: Statement;
  readonly #filter = new SegmentFilterBuilder();
  readonly #layouts = new Map<string, TimeLayout>();
  readonly #described = new Set<number>();
  readonly #streams = new Map<number, SegmentStream>();
  readonly #totals = {
    blocks: 0,
    records: 0,
    bodyBytes: 0,
    rawBytes: 0,
    minTimeUs: Number.POSITIVE_INFINITY,
    maxTimeUs: Number.NEGATIVE_INFINITY,
    firstReceivedUs: Number.POSITIVE_INFINITY,
    lastReceivedUs: Number.NEGATIVE_INFINITY,
    firstBatch: Number.POSITIVE_INFINITY,
    lastBatch: 0,
    severities: 0,
  };

  constructor(place: SegmentPlace) {
    this.#place = place;
    this.path = newSegmentPath(place.partition, place.day);
    makeSegmentFolder(place.dataDir, this.path);
    const db = new Database(`${join(place.dataDir, this.path)}.tmp`);
    db.pragma(`page_size = ${SEGMENT_PAGE_BYTES}`);
    // Not OFF, which better-sqlite3 takes no notice of: a journal beside it would be left by a crash.
    db.pragma("journal_mode = MEMORY");
    db.pragma("synchronous = OFF");
    db.pragma("locking_mode = EXCLUSIVE");
    db.pragma(`cache_size = -${CACHE_KIB}`);
    db.pragma(`application_id = ${SEGMENT_APPLICATION_ID}`);
    db.pragma(`user_version = ${SEGMENT_SCHEMA_VERSION}`);
    db.exec("BEGIN");
    db.exec(SEGMENT_SCHEMA);
    const meta = db.prepare("INSERT INTO meta (key, value) VALUES (?, ?)");
    meta.run("partition", place.partition);
    meta.run("day", place.day);
    meta.run("path", this.path);
    this.#db = db;
    this.#insertBlock = db.prepare("INSERT INTO blocks VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    this.#insertDictionary = db.prepare("INSERT INTO dictionaries (source, bytes) VALUES (?, ?)");
    this.#insertRun = db.prepare(
      `INSERT INTO runs (block, stream, from_record, count, first_seq, last_seq, min_time_us, max_time_us,
         first_received_us, last_received_us, first_batch, last_batch, severities, severity_counts, body_bytes)
       VALUES (:block, :streamId, :fromRecord, :count, :firstSeq, :lastSeq, :minTimeUs, :maxTimeUs,
         :firstReceivedUs, :lastReceivedUs, :firstBatch, :lastBatch, :severities, :counts, :bodyBytes)`,
    );
    this.#insertStream = db.prepare("INSERT INTO streams VALUES (?, ?, ?, ?, ?, ?)");
  }

  /** Whether it has no block yet. */
  get isEmpty(): boolean {
    return this.#totals.blocks === 0;
  }

  /** Names a stream; the blocks' streams all need it. */
  describe(stream: StreamDescription): void {
    if (!this.#described.has(stream.streamId)) {
      this.#described.add(stream.streamId);
      const { streamId, agentId, source, generation, host, labels } = stream;
      this.#insertStream.run(streamId, agentId, source, generation, host, labels);
    }
  }

  /** Stores a dictionary of lines of a block, that others may be compressed against. Returns its id. */
  addDictionary(dictionary: BlockDictionary, source: number): number {
    const { lastInsertRowid } = this.#insertDictionary.run(source, packDictionary(dictionary));
    return Number(lastInsertRowid);
  }

  /**
   * Appends a block, and returns its id; `runs` in the order in which they stand in it, `words` as
   * TokenCollector gives them.
   */
  add(
    block: EncodedBlock,
    runs: readonly RunFacts[],
    words: Uint32Array,
    { layouts, traits, dictionary }: BlockDetails,
  ): number {
    const id = this.#totals.blocks;
    const bytes = block.index.length + block.content.length;
    const records = runs.reduce((sum, { count }) => sum + count, 0);
    this.#insertBlock.run(
      id,
      records,
      block.rawBytes,
      block.indexRawBytes,
      block.contentRawBytes,
      this.#place.level,
      (traits.hasAttributes ? HAS_ATTRIBUTES : 0) | (traits.hidesWords ? HIDES_WORDS : 0),
      dictionary ?? null,
      block.index,
      block.content,
    );
    let fromRecord = 0;
    for (const facts of runs) {
      const { severityCounts, ...columns } = facts;
      this.#insertRun.run({
        ...columns,
        block: id,
        fromRecord,
        counts: JSON.stringify(severityCounts),
      });
      fromRecord += facts.count;
      this.#count(facts, (bytes * facts.count) / records);
    }
    this.#totals.blocks += 1;
    this.#totals.rawBytes += block.rawBytes;
    this.#filter.add(words);
    for (const layout of layouts) {
      this.#layouts.set(layout.pattern, layout);
    }
    return id;
  }

  /**
   * Completes the file and gives it its name; it is on the disk when this returns. At least one block.
   *
   * @param outputs segments that its job writes, this one included
   */
  publish(outputs: number): NewSegment {
    if (this.isEmpty) {
      throw new Error("a segment without a block");
    }
    this.#writeFilter();
    this.#db
      .prepare("INSERT INTO meta (key, value) VALUES ('origin', ?)")
      .run(JSON.stringify({ ...this.#place.origin, outputs }));
    this.#db.exec("COMMIT");
    this.#db.close();
    const { dataDir, partition, day, level } = this.#place;
    publishSegment(dataDir, this.path);
    const { size } = statSync(join(dataDir, this.path));
    // The filter, the runs and SQLite's pages are shared out by what each stream's blocks take.
    const streams = [...this.#streams.values()];
    const blockBytes = streams.reduce((sum, { bytes }) => sum + bytes, 0);
    return {
      ...this.#totals,
      partition,
      day,
      level,
      path: this.path,
      bytes: size,
      streams: streams.map((stream) => ({
        ...stream,
        bytes: Math.round((stream.bytes / blockBytes) * size),
      })),
    };
  }

  [Symbol.dispose](): void {
    this.#db.close();
    discardSegment(this.#place.dataDir, this.path);
  }

  #count(facts: RunFacts, bytes: number): void {
    const total = this.#totals;
    total.records += facts.count;
    total.bodyBytes += facts.bodyBytes;
    total.minTimeUs = Math.min(total.minTimeUs, facts.minTimeUs);
    total.maxTimeUs = Math.max(total.maxTimeUs, facts.maxTimeUs);
    total.firstReceivedUs = Math.min(total.firstReceivedUs, facts.firstReceivedUs);
    total.lastReceivedUs = Math.max(total.lastReceivedUs, facts.lastReceivedUs);
    total.firstBatch = Math.min(total.firstBatch, facts.firstBatch);
    total.lastBatch = Math.max(total.lastBatch, facts.lastBatch);
    total.severities |= facts.severities;
    const { streamId } = facts;
    const before = this.#streams.get(streamId);
    this.#streams.set(streamId, {
      streamId,
      records: (before?.records ?? 0) + facts.count,
      bodyBytes: (before?.bodyBytes ?? 0) + facts.bodyBytes,
      bytes: (before?.bytes ?? 0) + bytes,
      firstReceivedUs: Math.min(before?.firstReceivedUs ?? Infinity, facts.firstReceivedUs),
      lastReceivedUs: Math.max(before?.lastReceivedUs ?? 0, facts.lastReceivedUs),
      severities: (before?.severities ?? 0) | facts.severities,
    });
  }

  #writeFilter(): void {
    const { directory, buckets } = this.#filter.finish();
    const meta = this.#db.prepare("INSERT INTO meta (key, value) VALUES (?, ?)");
    meta.run("filter", encodeDirectory(directory));
    meta.run("layouts", JSON.stringify([...this.#layouts.values()]));
    const insert = this.#db.prepare("INSERT INTO filter_buckets VALUES (?, ?)");
    let id = 0;
    for (const bytes of buckets) {
      insert.run(id, bytes);
      id += 1;
    }
  }
}
