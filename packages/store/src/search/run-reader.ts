import type { RecordColumns } from "@sluice/protocol";

import type { BlockIndex } from "../block/block-index.ts";
import type { BlockText } from "../block/block-text.ts";
import { BatchReader } from "../head/batch-run.ts";
import type { HeadDatabase } from "../head/head-file.ts";
import { releaseMemory } from "../memory-release.ts";
import type { SegmentCache } from "../segment/segment-cache.ts";
import { SegmentError } from "../segment/segment-error.ts";
import type { SegmentFile } from "../segment/segment-file.ts";
import { type CachedBlock, type OpenRun, OpenBatch, OpenBlockRun } from "./open-run.ts";
import type { StoredRun } from "./run-catalog.ts";

/** Decoded blocks and batches that one search thread keeps: the newest ones are asked for again and again. */
const CACHE_BYTES = 48 * 1024 * 1024;

/** What a search keeps that reads everything once: the runs of a shared block come one after the other. */
const PASSING_BYTES = 4 * 1024 * 1024;

/** What made room in a cache and waits to be released. */
const MOST_EVICTED_BYTES = 32 * 1024 * 1024;

/** A run's records; `gone` when it was removed since the catalog was read, `damaged` when it cannot be decoded. */
export type RunContent = OpenRun | "gone" | "damaged";

type Kept = { readonly columns: RecordColumns } | CachedBlock;

/** What a thread has decoded last, kept from search to search. */
export class DecodedCache {
  readonly #mostBytes: number;
  readonly #kept = new Map<string, { readonly content: Kept; bytes: number }>();
  #bytes = 0;
  #evicted: Kept[] = [];
  #evictedBytes = 0;

  constructor(mostBytes: number = CACHE_BYTES) {
    this.#mostBytes = mostBytes;
  }

  /** For a search that goes over everything, which would push out what others come back to. */
  static passing(): DecodedCache {
    return new DecodedCache(PASSING_BYTES);
  }

  get(key: string): Kept | undefined {
    const found = this.#kept.get(key);
    if (found !== undefined) {
      this.#kept.delete(key);
      this.#kept.set(key, found);
    }
    return found?.content;
  }

  /** @param bytes what keeping it costs; may be said again where it has grown */
  put(key: string, content: Kept, bytes: number): void {
    this.#bytes += bytes - (this.#kept.get(key)?.bytes ?? 0);
    this.#kept.delete(key);
    this.#kept.set(key, { content, bytes });
    for (const [oldest, held] of this.#kept) {
      if (this.#bytes <= this.#mostBytes || oldest === key) {
        return;
      }
      this.#kept.delete(oldest);
      this.#bytes -= held.bytes;
      this.#evict(held);
    }
  }

  /** Gives back the memory of what had to make room, which nobody may hold any longer. */
  releaseEvicted(): void {
    for (const content of this.#evicted) {
      const bytes = "columns" in content ? content.columns.bodies : content.text?.bytes;
      if (bytes !== undefined) {
        releaseMemory(bytes);
      }
    }
    this.#forgetEvicted();
  }

  #evict({ content, bytes }: { readonly content: Kept; readonly bytes: number }): void {
    this.#evicted.push(content);
    this.#evictedBytes += bytes;
    // Whoever reads so much and releases nothing leaves it to the garbage collector.
    if (this.#evictedBytes > MOST_EVICTED_BYTES) {
      this.#forgetEvicted();
    }
  }

  #forgetEvicted(): void {
    this.#evicted = [];
    this.#evictedBytes = 0;
  }
}

/** Reads runs for one search, and counts what that took. */
export class RunReader {
  readonly #batches: BatchReader;
  readonly #segments: SegmentCache;
  readonly #cache: DecodedCache;
  readonly #read = new Set<string>();
  readonly #damaged = new Set<string>();
  /** Uncompressed, a block that was decoded again counted again. */
  bytesRead = 0;
  readMs = 0;

  constructor(db: HeadDatabase, segments: SegmentCache, cache: DecodedCache) {
    this.#batches = new BatchReader(db);
    this.#segments = segments;
    this.#cache = cache;
  }

  /** Blocks and batches that were looked into, each counted once. */
  get blocksRead(): number {
    return this.#read.size;
  }

  /** Runs that could not be decoded. */
  get damaged(): number {
    return this.#damaged.size;
  }

  open(run: StoredRun): RunContent {
    const startedMs = performance.now();
    const content = run.place.kind === "batch" ? this.#openBatch(run) : this.#openBlock(run);
    this.readMs += performance.now() - startedMs;
    if (content === "damaged") {
      this.#damaged.add(run.key);
    }
    return content;
  }

  /** Runs that were opened before, and what came of them, are not used any more. */
  release(): void {
    this.#cache.releaseEvicted();
  }

  /** For texts that are decoded later, on demand. */
  markDamaged(run: StoredRun): void {
    this.#damaged.add(run.key);
  }

  #openBatch(run: StoredRun): RunContent {
    const { place } = run;
    if (place.kind !== "batch") {
      return "gone";
    }
    const { entry } = place;
    const cached = this.#cache.get(run.key);
    if (cached !== undefined && "columns" in cached) {
      this.#read.add(run.key);
      return new OpenBatch(entry, cached.columns);
    }
    const read = this.#batches.read(entry);
    if (read === "gone") {
      return "gone";
    }
    this.#read.add(run.key);
    this.bytesRead += entry.rawBytes;
    if (read === "damaged") {
      return "damaged";
    }
    this.#cache.put(run.key, { columns: read.columns }, heldBytes(read.columns));
    return new OpenBatch(entry, read.columns);
  }

  #openBlock(run: StoredRun): RunContent {
    const { place } = run;
    if (place.kind !== "block") {
      return "gone";
    }
    const { path, run: stored } = place;
    const key = `${path}/${stored.block}`;
    const cached = this.#cache.get(key);
    if (cached !== undefined && "index" in cached) {
      this.#read.add(key);
      return new OpenBlockRun(stored, cached, () => this.#text(key, path, stored.block, cached));
    }
    try {
      const file = this.#segments.get(path);
      const index = file.openIndex(stored.block);
      this.#read.add(key);
      if (!index.ok) {
        return "damaged";
      }
      const block: CachedBlock = {
        index: index.value,
        text: undefined,
        arrivalEnds: undefined,
      };
      this.#cache.put(key, block, indexBytes(index.value));
      return new OpenBlockRun(stored, block, () => this.#text(key, path, stored.block, block));
    } catch (error) {
      if (error instanceof SegmentError) {
        return error.code === "gone" ? "gone" : "damaged";
      }
      throw error;
    }
  }

  /** It may have been closed since its index was read, and be gone by now. */
  #fileOf(path: string): SegmentFile | undefined {
    try {
      return this.#segments.get(path);
    } catch (error) {
      if (error instanceof SegmentError) {
        return undefined;
      }
      throw error;
    }
  }

  #text(key: string, path: string, block: number, cached: CachedBlock): BlockText | undefined {
    if (cached.text !== undefined) {
      return cached.text;
    }
    const startedMs = performance.now();
    const file = this.#fileOf(path);
    if (file === undefined) {
      return undefined;
    }
    const text = file.text(block, cached.index);
    this.#read.add(key);
    this.bytesRead += file.rawBytesOf(block);
    this.readMs += performance.now() - startedMs;
    if (!text.ok) {
      return undefined;
    }
    cached.text = text.value;
    // Line starts, and what is gathered from it, come on top.
    this.#cache.put(key, cached, indexBytes(cached.index) + text.value.bytes.length * 1.2);
    return text.value;
  }
}

function indexBytes({ count }: BlockIndex): number {
  return count * 40;
}

/** What keeping a batch costs: `bodies` is a view of its whole payload, and lines may be empty. */
function heldBytes({ bodies, timesUs, severities, bodyOffsets }: RecordColumns): number {
  return (
    bodies.buffer.byteLength + timesUs.byteLength + severities.byteLength + bodyOffsets.byteLength
  );
}
