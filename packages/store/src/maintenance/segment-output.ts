import { encodeBlock } from "../block/block-encoder.ts";
import { decodeIndex } from "../block/block-index.ts";
import type { Run } from "../block/run.ts";
import type { NewSegment } from "../manifest/swap.ts";
import { BlockPacker } from "../segment/block-packer.ts";
import { runFacts } from "../segment/run-facts.ts";
import { SegmentWriter, type StreamDescription } from "../segment/segment-writer.ts";
import { TokenCollector } from "../token-filter/token-collector.ts";

interface OpenSegment {
  readonly writer: SegmentWriter;
  readonly packer: BlockPacker;
}

/**
 * The segments that a job writes: one for each partition and day that its records belong to, in
 * memory no more than a block of each. Nothing of them counts before `publish`.
 */
export class SegmentOutput implements Disposable {
  readonly #dataDir: string;
  readonly #level: number;
  readonly #tokens = new TokenCollector();
  readonly #open = new Map<string, OpenSegment>();

  constructor(dataDir: string, level: number) {
    this.#dataDir = dataDir;
    this.#level = level;
  }

  /** Streams come one after the other, the runs of each in the order of their sequence numbers. */
  add(partition: string, day: string, stream: StreamDescription, run: Run): void {
    const { writer, packer } = this.#segment(partition, day);
    writer.describe(stream);
    packer.add(run);
  }

  /** Writes what has gathered. Returns where the segments are going to lie, relative to data_dir. */
  finish(): string[] {
    return Array.from(this.#open.values(), ({ writer, packer }) => {
      packer.flush();
      return writer.path;
    });
  }

  /** The finished segments, each on the disk under its name. */
  publish(): NewSegment[] {
    return Array.from(this.#open.values(), ({ writer }) => writer.publish());
  }

  [Symbol.dispose](): void {
    for (const { writer } of this.#open.values()) {
      writer[Symbol.dispose]();
    }
  }

  #segment(partition: string, day: string): OpenSegment {
    const key = `${partition}/${day}`;
    const known = this.#open.get(key);
    if (known !== undefined) {
      return known;
    }
    const writer = new SegmentWriter({
      dataDir: this.#dataDir,
      partition,
      day,
      level: this.#level,
    });
    const packer = new BlockPacker((runs) => {
      const block = encodeBlock(runs, this.#level);
      const index = decodeIndex(block.index, block.indexRawBytes);
      if (!index.ok) {
        throw new Error(`a block that was just written cannot be read: ${index.error.detail}`);
      }
      const layouts = index.value.layouts.map(({ layout }) => layout);
      writer.add(block, runs.map(runFacts), this.#tokens.collect(block.text), layouts);
    });
    const opened = { writer, packer };
    this.#open.set(key, opened);
    return opened;
  }
}
