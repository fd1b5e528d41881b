import { decodeColumns, decompressPayload, type RecordColumns } from "@sluice/protocol";
import type { Statement } from "better-sqlite3";

import type { Block } from "./block-catalog.ts";
import type { HeadDatabase } from "./head-file.ts";

/** Decoded blocks that one search keeps: a page of a merge comes back to the ones it cut. */
const CACHE_BYTES = 32 * 1024 * 1024;

/** A block's records; `gone` when it was pruned since the catalog was read, `damaged` when it cannot be decoded. */
export type BlockContent = RecordColumns | "gone" | "damaged";

/** Reads and decodes blocks, the most recently used ones from memory. */
export class BlockReader {
  readonly #payload: Statement;
  readonly #cache = new Map<number, RecordColumns>();
  #cachedBytes = 0;
  blocksRead = 0;
  bytesRead = 0;
  damaged = 0;
  readMs = 0;

  constructor(db: HeadDatabase) {
    this.#payload = db.prepare("SELECT payload FROM batches WHERE id = ?").pluck();
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
    const payload: unknown = this.#payload.get(block.id);
    if (!(payload instanceof Uint8Array)) {
      return "gone";
    }
    this.blocksRead += 1;
    this.bytesRead += block.rawBytes;
    const raw = decompressPayload(payload, block.rawBytes);
    const columns = raw.ok ? decodeColumns(raw.value, block.count) : raw;
    if (!columns.ok) {
      this.damaged += 1;
      return "damaged";
    }
    this.#keep(block.id, columns.value);
    return columns.value;
  }

  #keep(id: number, columns: RecordColumns): void {
    this.#cache.set(id, columns);
    this.#cachedBytes += columns.bodies.length;
    for (const [oldest, { bodies }] of this.#cache) {
      if (this.#cachedBytes <= CACHE_BYTES || oldest === id) {
        return;
      }
      this.#cache.delete(oldest);
      this.#cachedBytes -= bodies.length;
    }
  }
}
