import { zstdCompressSync, zstdDecompressSync } from "node:zlib";

import type { BlockDictionary } from "../block/dictionary.ts";

/** 128 KiB each at the most: a thread keeps 8 MiB of them, whatever the number of segments it has open. */
const KEPT = 64;

/** What a dictionary may inflate to. */
const MAX_BYTES = 1024 * 1024;

/** The dictionaries that were used last. */
export class DictionaryCache {
  readonly #kept = new Map<string, BlockDictionary>();

  get(key: string, load: () => BlockDictionary | undefined): BlockDictionary | undefined {
    const known = this.#kept.get(key);
    const found = known ?? load();
    if (found !== undefined) {
      this.#kept.delete(key);
      this.#kept.set(key, found);
    }
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= KEPT) {
        break;
      }
      this.#kept.delete(oldest);
    }
    return found;
  }
}

/** A dictionary as a segment stores it. */
export function packDictionary({ bytes }: BlockDictionary): Buffer {
  return zstdCompressSync(bytes);
}

/** Undefined where the bytes are damaged; blocks name their dictionary by its checksum, so no other is taken for it. */
export function unpackDictionary(stored: Uint8Array): Buffer | undefined {
  try {
    return zstdDecompressSync(stored, { maxOutputLength: MAX_BYTES });
  } catch {
    return undefined;
  }
}
