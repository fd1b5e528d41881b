import { hidesWords } from "@sluice/query";

import { layOutBlock, packBlockOnPool } from "../block/block-encoder.ts";
import { decodeIndex } from "../block/block-index.ts";
import { type BlockDictionary, sampleDictionary } from "../block/dictionary.ts";
import { decodeText } from "../block/block-text.ts";
import type { Run } from "../block/run.ts";
import { releaseMemory } from "../memory-release.ts";
import { runFacts } from "../segment/run-facts.ts";
import type { SegmentFile, SegmentRun } from "../segment/segment-file.ts";
import type { SegmentWriter } from "../segment/segment-writer.ts";
import { TokenCollector } from "../token-filter/token-collector.ts";

/** A stream with fewer full blocks than this to come pays more for a dictionary than it gains by one. */
const DICTIONARY_FROM_BYTES = 6 * 1024 * 1024;

/** Blocks that are compressed by the thread pool while the next one is laid out. */
const MOST_UNDER_WAY = 2;

interface HeldDictionary {
  readonly dictionary: BlockDictionary;
  /** In the segment; known when the block that it is made of has been written. */
  id: number | undefined;
}

/**
 * Encodes blocks and hands them to a segment. What a stream's first block says need not be spelt out
 * in those that follow: they are compressed against lines of it.
 */
export class BlockWriter {
  readonly #writer: SegmentWriter;
  readonly #level: number;
  readonly #tokens = new TokenCollector();
  #streamId = -1;
  #dictionary: HeldDictionary | undefined;
  /** Of a segment that blocks are copied from, by its own id: where it stands in this one. */
  readonly #copied = new Map<string, number>();
  /** The writing of the last block; each waits for the one before it. */
  #last: Promise<void> = Promise.resolve();
  #underWay = 0;

  constructor(writer: SegmentWriter, level: number) {
    this.#writer = writer;
    this.#level = level;
  }

  /**
   * Lays a block out; it is compressed and written while the next one is made. Wait for `room` before that.
   *
   * @param runs of one block, one a stream
   * @param streamBytes what the first one's stream comes to in all, nearly
   */
  write(runs: readonly Run[], streamBytes: number): void {
    const streamId = runs.length === 1 ? (runs[0]?.streamId ?? -1) : -1;
    const isFirst = streamId !== this.#streamId;
    if (isFirst) {
      this.#streamId = streamId;
      this.#dictionary = undefined;
    }
    const layout = layOutBlock(runs);
    const held = this.#dictionary;
    const packing = packBlockOnPool(layout, this.#level, held?.dictionary);
    packing.catch(() => undefined); // nobody waits for it where a block before it has failed
    const words = this.#tokens.collect(layout.text);
    const facts = runs.map(runFacts);
    const traits = {
      hasAttributes: runs.some(({ columns }) => columns.attributes !== undefined),
      hidesWords: hidesWords(layout.text),
    };
    const made =
      isFirst && streamId !== -1 && streamBytes >= DICTIONARY_FROM_BYTES
        ? sampleDictionary([layout.text])
        : undefined;
    const next: HeldDictionary | undefined = made && { dictionary: made, id: undefined };
    this.#dictionary = next ?? this.#dictionary;
    this.#queue(async () => {
      const block = await packing;
      const index = decodeIndex(block.index, block.indexRawBytes);
      if (!index.ok) {
        throw new Error(`a block that was just written cannot be read: ${index.error.detail}`);
      }
      const id = this.#writer.add(block, facts, words, {
        layouts: index.value.layouts.map(({ layout: written }) => written),
        traits,
        dictionary: held?.id,
      });
      releaseMemory(block.text);
      if (next !== undefined) {
        next.id = this.#writer.addDictionary(next.dictionary, id);
      }
    });
  }

  /**
   * Resolves when no more than so many blocks are still being compressed.
   *
   * @throws what the writing of a block threw
   */
  async room(most: number = MOST_UNDER_WAY): Promise<void> {
    if (this.#underWay > most) {
      await this.#last;
    }
  }

  #queue(step: () => Promise<void>): void {
    this.#underWay += 1;
    const before = this.#last;
    this.#last = (async () => {
      await before;
      await step();
      this.#underWay -= 1;
    })();
    // Told by `room`; until somebody asks it must not end the process.
    this.#last.catch(() => undefined);
  }

  /**
   * Takes a block over as it is, without encoding it again; of its dictionary the block that it is made
   * of comes first. What is written of its stream next is compressed as it is. False where it cannot be
   * decoded: nothing is written then.
   *
   * @param runs of the block, all of them
   */
  async copy(file: SegmentFile, block: number, runs: readonly SegmentRun[]): Promise<boolean> {
    await this.room(0);
    const stored = file.stored(block);
    const index = stored && decodeIndex(stored.index, stored.indexRawBytes);
    if (stored === undefined || index?.ok !== true) {
      return false;
    }
    const { content, contentRawBytes, dictionary } = stored;
    const known = dictionary === undefined ? undefined : file.dictionary(dictionary);
    const text = decodeText(content, contentRawBytes, index.value, known);
    if (!text.ok) {
      return false;
    }
    const { bytes } = text.value;
    const dictionaryId = this.#copied.get(`${file.path}#${dictionary}`);
    if (dictionary !== undefined && dictionaryId === undefined) {
      throw new Error(`${file.path}: block ${block} is copied without its dictionary`);
    }
    const id = this.#writer.add({ ...stored, text: bytes }, runs, this.#tokens.collect(bytes), {
      layouts: index.value.layouts.map(({ layout }) => layout),
      traits: file.traitsOf(block),
      dictionary: dictionaryId,
    });
    this.#streamId = runs.length === 1 ? (runs[0]?.streamId ?? -1) : -1;
    this.#dictionary = known && { dictionary: known, id: dictionaryId };
    this.#copyDictionaryOf(file, block, id);
    return true;
  }

  /** What a block is the source of comes with it. */
  #copyDictionaryOf(file: SegmentFile, block: number, copy: number): void {
    for (const [id, source] of file.dictionarySources()) {
      const dictionary = source === block ? file.dictionary(id) : undefined;
      if (dictionary !== undefined) {
        const copiedId = this.#writer.addDictionary(dictionary, copy);
        this.#dictionary = { dictionary, id: copiedId };
        this.#copied.set(`${file.path}#${id}`, copiedId);
      }
    }
  }
}
