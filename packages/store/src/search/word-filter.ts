import type { WordCondition, WordsOfField } from "@sluice/query";

import { elidesWord } from "../block/layout-word.ts";
import type { SegmentFile } from "../segment/segment-file.ts";
import { BlockSet } from "../token-filter/block-set.ts";

/**
 * Those of a segment's blocks that may hold what a condition asks for, be it in their text or in a
 * timestamp that is not in it. A filter that is damaged rules nothing out.
 *
 * @param isLabel whether any of the streams concerned has this label
 */
export function blocksWithWords(
  file: SegmentFile,
  blocks: BlockSet,
  condition: WordCondition,
  isLabel: (name: string) => boolean,
): BlockSet {
  if (blocks.isEmpty) {
    return blocks;
  }
  switch (condition.kind) {
    case "true":
      return blocks;
    case "word":
      return blocksWithWord(file, blocks, condition.word);
    case "all":
      return condition.of.reduce(
        (left, part) => blocksWithWords(file, left, part, isLabel),
        blocks,
      );
    case "any":
      return condition.of
        .map((part) => blocksWithWords(file, blocks, part, isLabel))
        .reduce((found, part) => found.union(part), BlockSet.none(blocks.blockCount));
    case "field":
      return isLabel(condition.name) ? blocks : blocksWithField(file, blocks, condition, isLabel);
    default:
      return condition satisfies never;
  }
}

function blocksWithWord(file: SegmentFile, blocks: BlockSet, word: string): BlockSet {
  const inText = file.filter.candidatesOf(word);
  if (!inText.ok || inText.value.blockCount !== blocks.blockCount) {
    return blocks;
  }
  const holding = blocks.intersect(inText.value);
  if (file.mayElide(word)) {
    for (const block of blocks) {
      if (!holding.has(block) && elides(file, block, word)) {
        holding.add(block);
      }
    }
  }
  return holding;
}

/** Blocks in which an attribute or an escape may hold the value stay, whatever their words. */
function blocksWithField(
  file: SegmentFile,
  blocks: BlockSet,
  { of, isPlain }: WordsOfField,
  isLabel: (name: string) => boolean,
): BlockSet {
  const judged = BlockSet.none(blocks.blockCount);
  for (const block of blocks) {
    const { hasAttributes, hidesWords } = file.traitsOf(block);
    if (!hasAttributes && !(isPlain && hidesWords)) {
      judged.add(block);
    }
  }
  const found = blocksWithWords(file, judged, of, isLabel);
  return blocks.intersect(judged.complement()).union(found);
}

function elides(file: SegmentFile, block: number, word: string): boolean {
  const index = file.openIndex(block);
  return !index.ok || elidesWord(index.value, word);
}
