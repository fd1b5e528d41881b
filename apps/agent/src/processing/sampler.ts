import { crc32 } from "node:zlib";

import type { SourceRecord } from "../record-feed.ts";
import type { SampleSettings } from "./processing-settings.ts";

/**
 * Keeps a share of the records. Which ones depends on each record's place in its stream and its
 * bytes alone: what is read again after a lost connection is chosen again the same way. Equal lines
 * at different places are chosen apart.
 */
export class Sampler {
  readonly #settings: SampleSettings;

  constructor(settings: SampleSettings) {
    this.#settings = settings;
  }

  keeps(record: SourceRecord, timeUs: number, severity: number): boolean {
    const { keep, unless } = this.#settings;
    if (unless !== undefined && severity >= unless.min && severity <= unless.max) {
      return true;
    }
    // A journal has no offsets; its entries have times.
    const place = record.offset ?? record.timeUs ?? timeUs;
    return mix(crc32(record.body) ^ mix((place % 2 ** 32) ^ (place / 2 ** 32))) < keep * 2 ** 32;
  }
}

/** MurmurHash3's finalizer: each bit of the input changes each bit of the result half of the time. */
function mix(value: number): number {
  let hash = value >>> 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
