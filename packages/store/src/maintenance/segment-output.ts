import { randomUUID } from "node:crypto";

import type { Run } from "../block/run.ts";
import type { NewSegment } from "../manifest/swap.ts";
import { BlockPacker } from "../segment/block-packer.ts";
import { BlockWriter } from "./block-writer.ts";
import type { SegmentFile, SegmentRun } from "../segment/segment-file.ts";
import {
  type SegmentOrigin,
  SegmentWriter,
  type StreamDescription,
} from "../segment/segment-writer.ts";

interface OpenSegment {
  readonly writer: SegmentWriter;
  readonly packer: BlockPacker;
  readonly blocks: BlockWriter;
}

/**
 * The segments that a job writes: one for each partition and day that its records belong to, in
 * memory no more than a few blocks of each. Nothing of them counts before `publish`.
 */
export class SegmentOutput implements Disposable {
  readonly #dataDir: string;
  readonly #level: number;
  readonly #streamBytes: ReadonlyMap<number, number>;
  readonly #origin: SegmentOrigin;
  readonly #open = new Map<string, OpenSegment>();

  /**
   * @param streamBytes by stream: what its bodies come to in all, nearly
   * @param replaces segments that these are made of; none where they come of the head
   */
  constructor(
    dataDir: string,
    level: number,
    streamBytes: ReadonlyMap<number, number>,
    replaces: readonly string[],
  ) {
    this.#dataDir = dataDir;
    this.#level = level;
    this.#streamBytes = streamBytes;
    this.#origin = { job: randomUUID(), replaces };
  }

  /** Streams come one after the other, the runs of each in the order of their sequence numbers. */
  add(partition: string, day: string, stream: StreamDescription, run: Run): void {
    const { writer, packer } = this.#segment(partition, day);
    writer.describe(stream);
    packer.add(run);
  }

  /** Resolves when more may be added: what waits to be compressed is in memory. */
  async room(): Promise<void> {
    for (const { blocks } of this.#open.values()) {
      await blocks.room();
    }
  }

  /**
   * Takes a block over as it is, behind what was added before. False where it cannot be decoded.
   *
   * @param streams of its runs, which are all of the block's
   */
  async copy(
    { partition, day }: { readonly partition: string; readonly day: string },
    file: SegmentFile,
    block: number,
    runs: readonly SegmentRun[],
    streams: readonly StreamDescription[],
  ): Promise<boolean> {
    const { writer, packer, blocks } = this.#segment(partition, day);
    packer.flush();
    for (const stream of streams) {
      writer.describe(stream);
    }
    return blocks.copy(file, block, runs);
  }

  /** Writes what has gathered. Returns where the segments are going to lie, relative to data_dir. */
  async finish(): Promise<string[]> {
    for (const [key, { writer, packer, blocks }] of this.#open) {
      packer.flush();
      await blocks.room(0);
      if (writer.isEmpty) {
        writer[Symbol.dispose]();
        this.#open.delete(key);
      }
    }
    return Array.from(this.#open.values(), ({ writer }) => writer.path);
  }

  /** The finished segments, each on the disk under its name. */
  publish(): NewSegment[] {
    return Array.from(this.#open.values(), ({ writer }) => writer.publish(this.#open.size));
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
      origin: this.#origin,
    });
    const blocks = new BlockWriter(writer, this.#level);
    const packer = new BlockPacker((runs) => {
      const bytes = this.#streamBytes.get(runs[0]?.streamId ?? -1) ?? 0;
      blocks.write(runs, bytes);
    });
    const opened = { writer, packer, blocks };
    this.#open.set(key, opened);
    return opened;
  }
}

/** Bytes of bodies by stream. */
export function sumByStream(
  parts: readonly { readonly streamId: number; readonly bodyBytes: number }[],
): Map<number, number> {
  const sums = new Map<number, number>();
  for (const { streamId, bodyBytes } of parts) {
    sums.set(streamId, (sums.get(streamId) ?? 0) + bodyBytes);
  }
  return sums;
}
