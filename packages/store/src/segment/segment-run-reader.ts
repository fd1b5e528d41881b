import type { BlockIndex } from "../block/block-index.ts";
import type { BlockText } from "../block/block-text.ts";
import type { Run } from "../block/run.ts";
import { sliceArrivals } from "../block/run-selection.ts";
import { releaseMemory } from "../memory-release.ts";
import type { SegmentFile, SegmentRun } from "./segment-file.ts";

/** Blocks that stay decoded: the runs of a shared block are read one after the other. */
const KEPT_BLOCKS = 4;

/** A decoded block. */
export interface OpenBlock {
  readonly index: BlockIndex;
  readonly text: BlockText;
}

/** Reads the runs of one segment wholly, as they are written anew. */
export class SegmentRunReader {
  readonly #file: SegmentFile;
  readonly #kept = new Map<number, OpenBlock>();

  constructor(file: SegmentFile) {
    this.#file = file;
  }

  /** Undefined where its block is damaged. */
  read(run: SegmentRun): Run | undefined {
    const block = this.#block(run.block);
    if (block === undefined) {
      return undefined;
    }
    const end = run.fromRecord + run.count;
    return {
      streamId: run.streamId,
      columns: block.text.columns(run.fromRecord, end),
      seqs: block.index.seqs.subarray(run.fromRecord, end),
      arrivals: sliceArrivals(block.index.arrivals, run.fromRecord, end),
    };
  }

  #block(block: number): OpenBlock | undefined {
    const kept = this.#kept.get(block);
    if (kept !== undefined) {
      return kept;
    }
    const index = this.#file.index(block);
    const text = index.ok ? this.#file.text(block, index.value) : index;
    if (!index.ok || !text.ok) {
      return undefined;
    }
    const opened = { index: index.value, text: text.value };
    this.#kept.set(block, opened);
    for (const [oldest, { text: passed }] of this.#kept) {
      if (this.#kept.size <= KEPT_BLOCKS) {
        break;
      }
      this.#kept.delete(oldest);
      releaseMemory(passed.bytes); // what was read of it are copies
    }
    return opened;
  }
}
