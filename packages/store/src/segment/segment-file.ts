import { existsSync } from "node:fs";
import { join } from "node:path";
import Database, { type Statement } from "better-sqlite3";
import { err, type Result } from "@sluice/quantity";

import type { EncodedBlock } from "../block/block-encoder.ts";
import type { BlockError } from "../block/block-error.ts";
import { type BlockIndex, decodeIndex, openIndex } from "../block/block-index.ts";
import { type BlockDictionary, openDictionary } from "../block/dictionary.ts";
import { type BlockText, decodeText } from "../block/block-text.ts";
import { mayWriteWord } from "../block/layout-word.ts";
import type { TimeLayout } from "../block/time-layout.ts";
import { isCorruption } from "../head/head-file.ts";
import { decodeDirectory } from "../token-filter/filter-directory.ts";
import { SegmentFilter } from "../token-filter/segment-filter.ts";
import { DictionaryCache, unpackDictionary } from "./dictionary-cache.ts";
import type { RunFacts } from "./run-facts.ts";
import { guarded, SegmentError } from "./segment-error.ts";
import {
  HAS_ATTRIBUTES,
  HIDES_WORDS,
  SEGMENT_APPLICATION_ID,
  SEGMENT_SCHEMA_VERSION,
} from "./segment-schema.ts";
import type { BlockTraits, SegmentOrigin, StreamDescription } from "./segment-writer.ts";

/** A run as its segment lists it. */
export interface SegmentRun extends RunFacts {
  /** Unique in its segment. */
  readonly id: number;
  readonly block: number;
  /** The first of its records in the block. */
  readonly fromRecord: number;
}

/** A block's bytes as they lie in its segment. */
export interface StoredBlock extends Omit<EncodedBlock, "text"> {
  /** Id of the dictionary that its content is compressed against. */
  readonly dictionary: number | undefined;
}

interface BlockSizes {
  readonly records: number;
  readonly rawBytes: number;
  readonly indexRawBytes: number;
  readonly contentRawBytes: number;
  readonly traits: number;
  readonly dictionary: number | null;
}

/** An open handle costs 160-200 KB with this; a block is read once and goes into no cache of SQLite's. */
const CACHE_KIB = 512;

/** One segment, open for reading. It never changes, so what was read of it once stays true. */
export class SegmentFile implements Disposable {
  readonly path: string;
  readonly #db: Database.Database;
  readonly #index: Statement;
  readonly #content: Statement;
  readonly #dictionary: Statement;
  readonly #dictionaries: DictionaryCache;
  readonly #blocks: readonly BlockSizes[];
  #runs: readonly SegmentRun[] | undefined;
  #filter: SegmentFilter | undefined;
  #layouts: readonly TimeLayout[] | undefined;

  private constructor(path: string, db: Database.Database, dictionaries: DictionaryCache) {
    this.path = path;
    this.#db = db;
    this.#dictionaries = dictionaries;
    this.#dictionary = db.prepare("SELECT bytes FROM dictionaries WHERE id = ?").pluck();
    this.#index = db.prepare("SELECT idx FROM blocks WHERE id = ?").pluck();
    this.#content = db.prepare("SELECT content FROM blocks WHERE id = ?").pluck();
    this.#blocks = db
      .prepare(
        `SELECT records, raw_bytes AS rawBytes, index_raw_bytes AS indexRawBytes,
           content_raw_bytes AS contentRawBytes, traits, dictionary FROM blocks ORDER BY id`,
      )
      .all() as BlockSizes[];
  }

  /**
   * @param path relative to data_dir
   * @throws SegmentError
   */
  static open(
    dataDir: string,
    path: string,
    dictionaries: DictionaryCache = new DictionaryCache(),
  ): SegmentFile {
    const file = join(dataDir, path);
    if (!existsSync(file)) {
      throw new SegmentError("gone", `${path}: there is no such file`);
    }
    return guarded(path, () => {
      const db = new Database(file, { readonly: true, fileMustExist: true });
      try {
        // Nobody writes it: without this each statement locks the file and looks for a journal.
        db.pragma("locking_mode = EXCLUSIVE");
        db.pragma(`cache_size = -${CACHE_KIB}`);
        const version = Number(db.pragma("user_version", { simple: true }));
        if (db.pragma("application_id", { simple: true }) !== SEGMENT_APPLICATION_ID) {
          throw new SegmentError("damaged", `${path}: this is not a segment`);
        }
        if (version > SEGMENT_SCHEMA_VERSION) {
          throw new SegmentError("newer", `${path}: written by a newer Sluice (${version})`);
        }
        return new SegmentFile(path, db, dictionaries);
      } catch (error) {
        db.close();
        throw error;
      }
    });
  }

  /** zstd's level of its blocks. */
  get level(): number {
    return guarded(this.path, () =>
      Number(this.#db.prepare("SELECT level FROM blocks LIMIT 1").pluck().get() ?? 0),
    );
  }

  get blockCount(): number {
    return this.#blocks.length;
  }

  /** In the order in which they were written: by block, then by place in it. */
  get runs(): readonly SegmentRun[] {
    this.#runs ??= guarded(this.path, () => this.#readRuns());
    return this.#runs;
  }

  get filter(): SegmentFilter {
    this.#filter ??= guarded(this.path, () => this.#readFilter());
    return this.#filter;
  }

  /** Whether a whole word, ASCII capitals made small, may stand in a timestamp that is not in the text of its block. */
  mayElide(word: string): boolean {
    this.#layouts ??= guarded(this.path, () => {
      const text = this.#db.prepare("SELECT value FROM meta WHERE key = 'layouts'").pluck().get();
      return JSON.parse(text as string) as TimeLayout[];
    });
    return this.#layouts.some((layout) => mayWriteWord(layout, word));
  }

  streams(): StreamDescription[] {
    return guarded(
      this.path,
      () =>
        this.#db
          .prepare(
            "SELECT id AS streamId, agent_id AS agentId, source, generation, host, labels FROM streams",
          )
          .all() as StreamDescription[],
    );
  }

  meta(key: "partition" | "day" | "path"): string {
    return guarded(
      this.path,
      () => this.#db.prepare("SELECT value FROM meta WHERE key = ?").pluck().get(key) as string,
    );
  }

  /** The job that wrote it. */
  origin(): SegmentOrigin & { readonly outputs: number } {
    return guarded(this.path, () => {
      const text: unknown = this.#db
        .prepare("SELECT value FROM meta WHERE key = 'origin'")
        .pluck()
        .get();
      return JSON.parse(text as string) as SegmentOrigin & { outputs: number };
    });
  }

  traitsOf(block: number): BlockTraits {
    const traits = this.#blocks[block]?.traits ?? HAS_ATTRIBUTES | HIDES_WORDS;
    return {
      hasAttributes: (traits & HAS_ATTRIBUTES) !== 0,
      hidesWords: (traits & HIDES_WORDS) !== 0,
    };
  }

  rawBytesOf(block: number): number {
    return this.#blocks[block]?.rawBytes ?? 0;
  }

  /** Undefined where its pages cannot be read. */
  stored(block: number): StoredBlock | undefined {
    const sizes = this.#blocks[block];
    const index = this.#blob(this.#index, block);
    const content = this.#blob(this.#content, block);
    if (sizes === undefined || index === undefined || content === undefined) {
      return undefined;
    }
    const { rawBytes, indexRawBytes, contentRawBytes, dictionary } = sizes;
    const sections = { index: Buffer.from(index), content: Buffer.from(content) };
    return {
      ...sections,
      rawBytes,
      indexRawBytes,
      contentRawBytes,
      dictionary: dictionary ?? undefined,
    };
  }

  dictionaryIdOf(block: number): number | undefined {
    return this.#blocks[block]?.dictionary ?? undefined;
  }

  /** The dictionaries, by id, and the block that the lines of each are of. */
  dictionarySources(): ReadonlyMap<number, number> {
    return guarded(this.path, () => {
      const rows = this.#db.prepare("SELECT id, source FROM dictionaries").raw().all();
      return new Map(rows as [number, number][]);
    });
  }

  /** Undefined where it cannot be read. */
  dictionary(id: number): BlockDictionary | undefined {
    return this.#dictionaries.get(`${this.path}#${id}`, () => {
      const bytes = this.#blob(this.#dictionary, id);
      const raw = bytes === undefined ? undefined : unpackDictionary(bytes);
      return raw === undefined ? undefined : openDictionary(raw);
    });
  }

  /** The index of a block, all of it decoded and checked. */
  index(block: number): Result<BlockIndex, BlockError> {
    const bytes = this.#blob(this.#index, block);
    return bytes === undefined ? err(UNREADABLE) : decodeIndex(bytes, this.#indexBytesOf(block));
  }

  /** The same, its columns decoded when they are first asked for. */
  openIndex(block: number): Result<BlockIndex, BlockError> {
    const bytes = this.#blob(this.#index, block);
    return bytes === undefined ? err(UNREADABLE) : openIndex(bytes, this.#indexBytesOf(block));
  }

  text(block: number, index: BlockIndex): Result<BlockText, BlockError> {
    const bytes = this.#blob(this.#content, block);
    return bytes === undefined
      ? err(UNREADABLE)
      : decodeText(
          bytes,
          this.#blocks[block]?.contentRawBytes ?? 0,
          index,
          this.#dictionaryOf(block),
        );
  }

  [Symbol.dispose](): void {
    this.#db.close();
  }

  #indexBytesOf(block: number): number {
    return this.#blocks[block]?.indexRawBytes ?? 0;
  }

  /** The dictionary that a block's content is compressed against, where it has one that can be read. */
  #dictionaryOf(block: number): BlockDictionary | undefined {
    const id = this.dictionaryIdOf(block);
    return id === undefined ? undefined : this.dictionary(id);
  }

  /** Damage to the pages of one block, or of one bucket, is no reason to give up the others. */
  #blob(statement: Statement, id: number): Uint8Array | undefined {
    try {
      const bytes: unknown = statement.get(id);
      return bytes instanceof Uint8Array ? bytes : undefined;
    } catch (error) {
      if (isCorruption(error)) {
        return undefined;
      }
      throw error;
    }
  }

  #readRuns(): SegmentRun[] {
    const rows = this.#db
      .prepare(
        `SELECT id, block, stream AS streamId, from_record AS fromRecord, count, first_seq AS firstSeq,
           last_seq AS lastSeq, min_time_us AS minTimeUs, max_time_us AS maxTimeUs,
           first_received_us AS firstReceivedUs, last_received_us AS lastReceivedUs,
           first_batch AS firstBatch, last_batch AS lastBatch, severities,
           severity_counts AS severityCounts, body_bytes AS bodyBytes FROM runs ORDER BY id`,
      )
      .all() as Array<Omit<SegmentRun, "severityCounts"> & { severityCounts: string }>;
    return rows.map((row) => ({
      ...row,
      severityCounts: JSON.parse(row.severityCounts) as number[],
    }));
  }

  #readFilter(): SegmentFilter {
    const stored: unknown = this.#db
      .prepare("SELECT value FROM meta WHERE key = 'filter'")
      .pluck()
      .get();
    const directory = decodeDirectory(stored instanceof Uint8Array ? stored : new Uint8Array());
    if (!directory.ok) {
      throw new SegmentError("damaged", `${this.path}: ${directory.error.detail}`);
    }
    const bucket = this.#db.prepare("SELECT bytes FROM filter_buckets WHERE id = ?").pluck();
    return new SegmentFilter(directory.value, { bucket: (id) => this.#blob(bucket, id) });
  }
}

const UNREADABLE: BlockError = { code: "bad_block", detail: "its pages cannot be read" };
