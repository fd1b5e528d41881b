import { Buffer } from "node:buffer";
import { encodeBlock } from "../../src/block/block-encoder.ts";
import { type BlockIndex, decodeIndex } from "../../src/block/block-index.ts";
import { type BlockText, decodeText } from "../../src/block/block-text.ts";
import type { BlockDictionary } from "../../src/block/dictionary.ts";
import type { Run } from "../../src/block/run.ts";
import { toRecords } from "./runs.ts";

/** A block that went through its encoding. */
export interface Decoded {
  readonly index: BlockIndex;
  readonly text: BlockText;
}

/** Encodes and decodes; throws where that fails. */
export function decoded(runs: readonly Run[], level = 3, dictionary?: BlockDictionary): Decoded {
  const block = encodeBlock(runs, level, dictionary);
  const index = decodeIndex(block.index, block.indexRawBytes);
  if (!index.ok) throw new Error(index.error.detail);
  const text = decodeText(block.content, block.contentRawBytes, index.value, dictionary);
  if (!text.ok) throw new Error(text.error.detail);
  return { index: index.value, text: text.value };
}

/** The body of each record, in their order. */
export function bodiesOf(runs: readonly Run[]): Buffer[] {
  return runs.flatMap((run) => toRecords(run.columns).map(({ body }) => Buffer.from(body)));
}
