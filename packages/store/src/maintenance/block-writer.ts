import { hidesWords } from "@sluice/query";

import { encodeBlock } from "../block/block-encoder.ts";
import { decodeIndex } from "../block/block-index.ts";
import { type BlockDictionary, sampleDictionary } from "../block/dictionary.ts";
import { decodeText } from "../block/block-text.ts";
import type { Run } from "../block/run.ts";
import { runFacts } from "../segment/run-facts.ts";
import type { SegmentFile, SegmentRun } from "../segment/segment-file.ts";
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
  /** Of a segment that blocks are copied from, by its own id: where it stands in this one. */
  readonly #copied = new Map<string, number>();

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
    const id = this.#writer.add(block, runs.map(runFacts), this.#tokens.collect(block.text), {
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
        this.#dictionaryId = this.#writer.addDictionary(this.#dictionary, id);
      }
    }
  }

  /**
   * Takes a block over as it is, without encoding it again; of its dictionary the block that it is made
   * of comes first. What is written of its stream next is compressed as it is. False where it cannot be
   * decoded: nothing is written then.
   *
   * @param runs of the block, all of them
   */
  copy(file: SegmentFile, block: number, runs: readonly SegmentRun[]): boolean {
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
    this.#dictionary = known;
    this.#dictionaryId = dictionaryId;
    this.#copyDictionaryOf(file, block, id);
    return true;
  }

  /** What a block is the source of comes with it. */
  #copyDictionaryOf(file: SegmentFile, block: number, copy: number): void {
    for (const [id, source] of file.dictionarySources()) {
      const dictionary = source === block ? file.dictionary(id) : undefined;
      if (dictionary !== undefined) {
        this.#dictionary = dictionary;
        this.#dictionaryId = this.#writer.addDictionary(dictionary, copy);
        this.#copied.set(`${file.path}#${id}`, this.#dictionaryId);
      }
    }
  }
}
