import { decodeColumns, decompressPayload, type RecordColumns } from "@sluice/protocol";
import type { Statement } from "better-sqlite3";

import type { Block } from "./block-catalog.ts";
import { type HeadDatabase, isCorruption } from "../head/head-file.ts";

/** Decoded blocks that one search keeps: a page of a merge comes back to the ones it cut. */
const CACHE_BYTES = 32 * 1024 * 1024;

/** A block's records; `gone` when it was pruned since the catalog was read, `damaged` when it cannot be decoded. */
export type BlockContent = RecordColumns | "gone" | "damaged";

/** Reads and decodes blocks, the most recently used ones from memory. */
export class BlockReader {
  readonly #payload: Statement;
  readonly #cache = new Map<number, RecordColumns>();
  #cachedBytes = 0;
  readonly #read = new Set<number>();
  readonly #damaged = new Set<number>();
  /** Uncompressed, a block that was read again counted again. */
  bytesRead = 0;
  readMs = 0;

  constructor(db: HeadDatabase) {
    this.#payload = db.prepare("SELECT payload FROM batches WHERE id = ?").pluck();
  }

  /** Blocks that were read, each counted once. */
  get blocksRead(): number {
    return this.#read.size;
  }

  /** Blocks that could not be decoded. */
  get damaged(): number {
    return this.#damaged.size;
  }

  read(block: Block): BlockContent {
    const cached = this.#cache.get(block.id);
    if (cached !== undefined) {
      this.#cache.delete(block.id);
      this.#cache.set(block.id, cached);
      return cached;
    }
    const startedMs = performance.now();
    const content = this.#decode(block);
    this.readMs += performance.now() - startedMs;
    return content;
  }

  #decode(block: Block): BlockContent {
    const payload = this.#fetch(block.id);
    if (payload === "gone") {
      return "gone";
    }
    this.#read.add(block.id);
    this.bytesRead += block.rawBytes;
    if (payload === "damaged") {
      this.#damaged.add(block.id);
      return "damaged";
    }
    const raw = decompressPayload(payload, block.rawBytes);
    const columns = raw.ok ? decodeColumns(raw.value, block.count) : raw;
    if (!columns.ok) {
      this.#damaged.add(block.id);
      return "damaged";
    }
    this.#keep(block.id, columns.value);
    return columns.value;
  }

  /** Damage to the pages of one payload is no reason to give up the others. */
  #fetch(id: number): Uint8Array | "gone" | "damaged" {
    try {
      const payload: unknown = this.#payload.get(id);
      return payload instanceof Uint8Array ? payload : "gone";
    } catch (error) {
      if (isCorruption(error)) {
        return "damaged";
      }
      throw error;
    }
  }

  #keep(id: number, columns: RecordColumns): void {
    this.#cache.set(id, columns);
    this.#cachedBytes += heldBytes(columns);
    for (const [oldest, held] of this.#cache) {
      if (this.#cachedBytes <= CACHE_BYTES || oldest === id) {
        return;
      }
      this.#cache.delete(oldest);
      this.#cachedBytes -= heldBytes(held);
    }
  }
}

/** What keeping a block costs: `bodies` is a view of its whole payload, and lines may be empty. */
function heldBytes({ bodies, timesUs, severities, bodyOffsets }: RecordColumns): number {
  return (
    bodies.buffer.byteLength + timesUs.byteLength + severities.byteLength + bodyOffsets.byteLength
  );
}
