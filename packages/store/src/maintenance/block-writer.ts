import { hidesWords } from "@sluice/query";

import { encodeBlock } from "../block/block-encoder.ts";
import { decodeIndex } from "../block/block-index.ts";
import { type BlockDictionary, sampleDictionary } from "../block/dictionary.ts";
import type { Run } from "../block/run.ts";
import { runFacts } from "../segment/run-facts.ts";
import type { SegmentWriter } from "../segment/segment-writer.ts";
import { TokenCollector } from "../token-filter/token-collector.ts";

/** A stream with fewer full blocks than this to come pays more for a dictionary than it gains by one. */
const DICTIONARY_FROM_BYTES = 6 * 1024 * 1024;

/**
 * Encodes blocks and hands them to a segment. What a stream's first block says need not be spelt out
 * in those that follow: they are compressed against lines of it.
 */
export class BlockWriter {
  readonly #writer: SegmentWriter;
  readonly #level: number;
  readonly #tokens = new TokenCollector();
  #streamId = -1;
  #dictionary: BlockDictionary | undefined;
  #dictionaryId: number | undefined;

  constructor(writer: SegmentWriter, level: number) {
    this.#writer = writer;
    this.#level = level;
  }

  /**
   * @param runs of one block, one a stream
   * @param streamBytes what the first one's stream comes to in all, nearly
   */
  write(runs: readonly Run[], streamBytes: number): void {
    const streamId = runs.length === 1 ? (runs[0]?.streamId ?? -1) : -1;
    const isFirst = streamId !== this.#streamId;
    if (isFirst) {
      this.#streamId = streamId;
      this.#dictionary = undefined;
      this.#dictionaryId = undefined;
    }
    const block = encodeBlock(runs, this.#level, this.#dictionary);
    const index = decodeIndex(block.index, block.indexRawBytes);
    if (!index.ok) {
      throw new Error(`a block that was just written cannot be read: ${index.error.detail}`);
    }
    this.#writer.add(block, runs.map(runFacts), this.#tokens.collect(block.text), {
      layouts: index.value.layouts.map(({ layout }) => layout),
      traits: {
        hasAttributes: runs.some(({ columns }) => columns.attributes !== undefined),
        hidesWords: hidesWords(block.text),
      },
      dictionary: this.#dictionaryId,
    });
    if (isFirst && streamId !== -1 && streamBytes >= DICTIONARY_FROM_BYTES) {
      this.#dictionary = sampleDictionary([block.text]);
      if (this.#dictionary !== undefined) {
        this.#dictionaryId = this.#writer.addDictionary(this.#dictionary);
      }
    }
  }
}
