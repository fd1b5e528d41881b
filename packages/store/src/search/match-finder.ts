import type { RecordColumns } from "@sluice/protocol";
import { type RecordFilter, scanBlock } from "@sluice/query";

import { type Block, isWhollyVisible } from "./block-catalog.ts";
import type { BlockReader } from "./block-reader.ts";
import type { TimeRange } from "./search-request.ts";

/** A matching record, where it lies. */
export interface Match {
  readonly timeUs: number;
  readonly seq: number;
  readonly block: Block;
  readonly columns: RecordColumns;
  readonly index: number;
}

/** Finds a block's visible records that match, in order of time and then of sequence. */
export class MatchFinder {
  readonly #filter: RecordFilter;
  readonly #reader: BlockReader;
  scanMs = 0;

  constructor(filter: RecordFilter, reader: BlockReader) {
    this.#filter = filter;
    this.#reader = reader;
  }

  /** A record's event time; undefined where its block is no longer there. */
  timeAt(block: Block, index: number): number | undefined {
    const columns = this.#reader.read(block);
    return columns === "gone" || columns === "damaged" ? undefined : columns.timesUs[index];
  }

  find(block: Block, range: TimeRange, reverse: boolean, limit: number): Match[] {
    const columns = this.#reader.read(block);
    if (columns === "gone" || columns === "damaged") {
      return [];
    }
    const startedMs = performance.now();
    const isWhole = isWhollyVisible(block);
    const indices = scanBlock(this.#filter, block.stream, columns, {
      ...(range.fromUs !== undefined && { fromUs: range.fromUs }),
      ...(range.untilUs !== undefined && { untilUs: range.untilUs }),
      newestFirst: reverse,
      ...(isWhole && { limit }),
    });
    const matches: Match[] = [];
    for (const index of indices) {
      const severity = columns.severities[index] ?? 0;
      const visibleFromUs = block.stream.visibleFromUs[severity] ?? Number.NEGATIVE_INFINITY;
      if (isWhole || block.receivedUs >= visibleFromUs) {
        const timeUs = columns.timesUs[index] ?? 0;
        matches.push({ timeUs, seq: block.firstSeq + index, block, columns, index });
      }
    }
    this.scanMs += performance.now() - startedMs;
    return matches.length > limit ? matches.slice(0, limit) : matches;
  }
}
