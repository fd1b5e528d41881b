import { rmSync } from "node:fs";
import type { Attributes } from "@sluice/protocol";
import { canBePartial, parseQuery } from "@sluice/query";

import { checkFrame } from "../src/head/frame-check.ts";
import { type HeadDatabase, openHeadForWriting } from "../src/head/head-file.ts";
import { Head } from "../src/head/head.ts";
import type { RetentionCutoffs } from "../src/manifest/visibility.ts";
import { SegmentCache } from "../src/segment/segment-cache.ts";
import { type GroupShare, groupShare, mergeShares } from "../src/search/group-search.ts";
import type { Moment } from "../src/search/run-catalog.ts";
import { DecodedCache } from "../src/search/run-reader.ts";
import { runSearch } from "../src/search/search-engine.ts";
import { type PlannedSearch, planSearch, type SearchControl } from "../src/search/search-plan.ts";
import type { SearchRequest, SearchSummary } from "../src/search/search-request.ts";
import { Folder } from "./folder.ts";
import { batchFrame, type TestRecord } from "./frames.ts";

/** A record as the test knows it: what a search is compared with. */
export interface ModelRecord {
  readonly id: string;
  readonly streamId: number;
  readonly agentId: string;
  readonly source: string;
  readonly generation: number;
  readonly seq: number;
  readonly timeUs: number;
  readonly severity: number;
  readonly body: string | Uint8Array;
  readonly attributes: Attributes | undefined;
  readonly batchId: number;
  readonly receivedUs: number;
}

export interface LogStream {
  readonly agentId: string;
  readonly host?: string;
  readonly source: string;
  readonly generation: number;
  readonly labels?: Readonly<Record<string, string>>;
}

interface StreamState {
  readonly streamId: number;
  ordinal: number;
  nextSeq: number;
}

/** What is stored at a moment, and where the streams stand. */
export interface LogState {
  readonly records: readonly ModelRecord[];
  readonly streams: ReadonlyMap<string, StreamState>;
}

export interface Answer {
  readonly text: string;
  readonly summary: SearchSummary;
}

const IGNORE: SearchControl = { checkpoint: () => undefined, progress: () => undefined };

/** A head that is filled batch by batch, with a plain array of the same records beside it. */
export class StoredLog implements Disposable {
  readonly records: ModelRecord[] = [];
  readonly #folder = Folder.inMemory();
  #db: HeadDatabase;
  #head: Head;
  #segments: SegmentCache;
  #cache = new DecodedCache();
  readonly #streams = new Map<string, StreamState>();

  constructor() {
    this.#db = openWithoutSync(this.path);
    this.#head = new Head(this.#db);
    this.#segments = new SegmentCache(this.dataDir);
  }

  get db(): HeadDatabase {
    return this.#db;
  }

  get head(): Head {
    return this.#head;
  }

  get dataDir(): string {
    return this.#folder.path;
  }

  get path(): string {
    return this.#folder.at("head.db");
  }

  /** Empties it: a new file would cost a property test most of its time. */
  clear(): this {
    this.#db.exec(`DELETE FROM segment_streams; DELETE FROM segments; DELETE FROM batch_removals;
      DELETE FROM announced_segments; DELETE FROM deletes; DELETE FROM jobs; DELETE FROM gaps; DELETE FROM backups;
      DELETE FROM batches; DELETE FROM streams; DELETE FROM agents; DELETE FROM sqlite_sequence;
      DELETE FROM meta WHERE key <> 'store_id'`);
    for (const name of ["segments", "quarantine", "leases"]) {
      rmSync(this.#folder.at(name), { recursive: true, force: true });
    }
    this.records.length = 0;
    this.#streams.clear();
    this.#forget();
    return this;
  }

  /** As a process does that begins where another one was killed. */
  reopen(): void {
    this.#db.close();
    this.#db = openWithoutSync(this.path);
    this.#forget();
  }

  state(): LogState {
    return structuredClone({ records: this.records, streams: this.#streams });
  }

  /** Closes it, has another store put in its place, and goes on with that: `state` is what it holds. */
  async replace({ records, streams }: LogState, place: () => Promise<void>): Promise<void> {
    this.#segments[Symbol.dispose]();
    this.#db.close();
    await place();
    this.#db = openWithoutSync(this.path);
    this.#forget();
    this.records.splice(0, this.records.length, ...records);
    this.#streams.clear();
    for (const [key, stream] of streams) {
      this.#streams.set(key, { ...stream });
    }
  }

  /** Stores a batch and returns its id. */
  append(stream: LogStream, records: readonly TestRecord[], receivedUs = 1): number {
    this.#head.receiptTime(receivedUs);
    return this.#head.transaction(() => {
      const { agentId, source, generation } = stream;
      const key = JSON.stringify([agentId, source, generation]);
      const at = this.#streams.get(key) ?? this.#open(stream);
      const { streamId, ordinal, nextSeq } = at;
      const frame = batchFrame({ epoch: 1, ordinal, firstSeq: nextSeq }, records);
      const outcome = this.#head.append(streamId, checkFrame(frame), receivedUs);
      if (outcome.kind !== "accepted" || outcome.batchId === undefined) {
        throw new Error(`the batch was not taken: ${outcome.kind}`);
      }
      const { batchId } = outcome;
      records.forEach(({ body, timeUs = 0, severity = 0, attributes }, i) => {
        const seq = nextSeq + i;
        const id = `${streamId}-${seq}`;
        const place = { id, streamId, agentId, source, generation, seq };
        const content = { timeUs, severity, body, attributes };
        this.records.push({ ...place, ...content, batchId, receivedUs });
      });
      at.ordinal += 1;
      at.nextSeq += records.length;
      this.#streams.set(key, at);
      return batchId;
    });
  }

  prune(...batchIds: readonly number[]): void {
    const remove = this.#db.prepare("DELETE FROM batches WHERE id = ?");
    batchIds.forEach((id) => remove.run(id));
  }

  setVisibility(visibility: RetentionCutoffs): void {
    this.#db
      .prepare("INSERT OR REPLACE INTO meta (key, value) VALUES ('visibility', ?)")
      .run(JSON.stringify(visibility));
  }

  /** The pages of a search, one by one. */
  *pages(
    request: Partial<SearchRequest>,
    control: SearchControl = IGNORE,
  ): Generator<string, SearchSummary> {
    const whole = requestOf(request);
    const query = parseQuery(whole.query);
    if (!query.ok) {
      throw new Error(query.error.message);
    }
    const parts = { db: this.#db, segments: this.#segments, cache: this.#cache };
    const plan = (moment?: Moment): PlannedSearch =>
      planSearch(parts, whole, query.value, control, moment);
    const planned = plan();
    const search = canBePartial(query.value.stages)
      ? mergeShares(planned, shareOut([planned, plan(planned.catalog.moment)]))
      : runSearch(planned);
    for (;;) {
      const step = search.next();
      if (step.done === true) {
        return step.value;
      }
      yield Buffer.from(step.value.bytes).toString();
    }
  }

  search(request: Partial<SearchRequest>): Answer {
    const pages = this.pages(request);
    let text = "";
    for (;;) {
      const step = pages.next();
      if (step.done === true) {
        return { text, summary: step.value };
      }
      text += step.value;
    }
  }

  /** Ids of the rows, in the order of the answer. */
  ids(request: Partial<SearchRequest>): string[] {
    return rowsOf<{ id: string }>(this.search(request).text).map(({ id }) => id);
  }

  [Symbol.dispose](): void {
    this.#segments[Symbol.dispose]();
    this.#db.close();
    this.#folder[Symbol.dispose]();
  }

  #forget(): void {
    this.#head = new Head(this.#db);
    this.#segments[Symbol.dispose]();
    this.#segments = new SegmentCache(this.dataDir);
    this.#cache = new DecodedCache();
  }

  #open(stream: LogStream): StreamState {
    const { agentId, host = "web-1", source, generation, labels = {} } = stream;
    const { agent } = this.#head.introduce({ agentId, host, version: "1", labels }, 1);
    const opening = { source, generation, initialCursor: Buffer.alloc(0), labels };
    const { streamId } = this.#head.open(agent, host, opening);
    return { streamId, ordinal: 0, nextSeq: 0 };
  }
}

function openWithoutSync(path: string): HeadDatabase {
  const db = openHeadForWriting(path);
  db.pragma("synchronous = OFF"); // Nothing is pulled from under a test's disk.
  return db;
}

/** As threads would share it out that take turns. */
function shareOut(threads: readonly PlannedSearch[]): GroupShare[] {
  return threads.map((planned, first) => {
    let next = first - threads.length;
    return groupShare(planned, () => (next += threads.length));
  });
}

export function requestOf(request: Partial<SearchRequest>): SearchRequest {
  return { query: "*", order: "time", reverse: false, deadlineMs: 60_000, ...request };
}

export function rowsOf<T>(ndjson: string): T[] {
  return ndjson
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as T);
}
