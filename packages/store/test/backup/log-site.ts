import { cpSync } from "node:fs";
import { join } from "node:path";
import { parseQuery } from "@sluice/query";

import { openHeadForReading } from "../../src/head/head-file.ts";
import { DecodedCache } from "../../src/search/run-reader.ts";
import { runSearch } from "../../src/search/search-engine.ts";
import { planSearch } from "../../src/search/search-plan.ts";
import { SegmentCache } from "../../src/segment/segment-cache.ts";
import { Store } from "../../src/store.ts";
import type { StoreNotice } from "../../src/store-events.ts";
import { Folder } from "../folder.ts";
import { batchFrame, messageOf, type TestRecord } from "../frames.ts";
import { requestOf } from "../stored-log.ts";

const AGENT = { agentId: "a-1", host: "web-1", version: "1.0.0", labels: { env: "prod" } };

interface Opened {
  readonly connection: number;
  readonly epoch: number;
  ordinal: number;
  nextSeq: number;
}

/** A data folder with an agent that ships to it, one batch at a time. */
export class LogSite implements AsyncDisposable {
  readonly folder = new Folder();
  readonly notices: StoreNotice[] = [];
  readonly #opened = new Map<string, Opened>();
  #store: Store | undefined;
  #connection = 0;
  #arrived: () => void = () => undefined;

  static async open(): Promise<LogSite> {
    const site = new LogSite();
    await site.open();
    return site;
  }

  /** A closed site with the same data: to fill one takes far longer. */
  static copyOf(other: LogSite): LogSite {
    const site = new LogSite();
    cpSync(other.folder.path, site.folder.path, { recursive: true });
    return site;
  }

  get dataDir(): string {
    return this.folder.at("data");
  }

  get store(): Store {
    if (this.#store === undefined) {
      throw new Error("the store is closed");
    }
    return this.#store;
  }

  async open(): Promise<void> {
    this.#opened.clear();
    this.#store = await Store.open(this.dataDir, {
      committed: () => this.#arrived(),
      failed: (error) => {
        throw error;
      },
      noticed: (notice) => this.notices.push(notice),
      full: () => undefined,
    });
  }

  async close(): Promise<void> {
    await this.#store?.[Symbol.asyncDispose]();
    this.#store = undefined;
  }

  /** Opens the stream of a source, and returns where it stands. */
  async openStream(source: string, cursor = "begin") {
    const { agent } = await this.store.introduce(AGENT);
    const connection = ++this.#connection;
    const [opened] = await this.store.openStreams(connection, agent, AGENT.host, [
      {
        stream: connection,
        source,
        generation: 1,
        initialCursor: Buffer.from(cursor),
        labels: AGENT.labels,
      },
    ]);
    if (opened === undefined) {
      throw new Error("nothing was opened");
    }
    const { epoch, ordinal, nextSeq } = opened;
    this.#opened.set(source, { connection, epoch, ordinal, nextSeq });
    return opened;
  }

  /** Ships records of a source as one batch, and returns when they are durable. */
  async ship(source: string, records: readonly TestRecord[]): Promise<void> {
    if (!this.#opened.has(source)) {
      await this.openStream(source);
    }
    const at = this.#opened.get(source) as Opened;
    const { connection, epoch, ordinal, nextSeq } = at;
    const frame = batchFrame({ stream: connection, epoch, ordinal, firstSeq: nextSeq }, records);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#arrived = resolve;
    this.store.append(connection, messageOf(frame));
    await promise;
    at.ordinal += 1;
    at.nextSeq += records.length;
  }

  lines(from: number, to: number): TestRecord[] {
    return Array.from({ length: to - from }, (_, i) => ({
      body: `line ${from + i} of the log, token t${from + i}x`,
      timeUs: 1_000_000 * (from + i),
      severity: 9,
    }));
  }

  /** Bodies of what the query finds, in the order of their streams. Not by threads, which take long to start. */
  find(query: string, dataDir = this.dataDir): string[] {
    const request = requestOf({ query, order: "stream", render: "bodies" });
    const parsed = parseQuery(query);
    if (!parsed.ok) {
      throw new Error(parsed.error.message);
    }
    const db = openHeadForReading(join(dataDir, "head.db"));
    using segments = new SegmentCache(dataDir);
    try {
      const parts = { db, segments, cache: new DecodedCache() };
      const planned = planSearch(parts, request, parsed.value, {
        checkpoint: () => undefined,
        progress: () => undefined,
      });
      let text = "";
      for (const { bytes } of runSearch(planned)) {
        text += Buffer.from(bytes).toString();
      }
      return text.split("\n").slice(0, -1);
    } finally {
      db.close();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
    this.folder[Symbol.dispose]();
  }
}
