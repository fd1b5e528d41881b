import type { WordCondition, WordsOfField } from "@sluice/query";

import { elidesWord } from "../block/layout-word.ts";
import type { SegmentFile } from "../segment/segment-file.ts";

/**
 * Those of a segment's blocks that may hold what a condition asks for, be it in their text or in a
 * timestamp that is not in it. A filter that is damaged rules nothing out.
 *
 * @param isLabel whether any of the streams concerned has this label
 */
export function blocksWithWords(
  file: SegmentFile,
  blocks: ReadonlySet<number>,
  condition: WordCondition,
  isLabel: (name: string) => boolean,
): ReadonlySet<number> {
  if (blocks.size === 0) {
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
    case "any": {
      const found = condition.of.map((part) => blocksWithWords(file, blocks, part, isLabel));
      return new Set(found.flatMap((part) => [...part]));
    }
    case "field":
      return isLabel(condition.name) ? blocks : blocksWithField(file, blocks, condition, isLabel);
    default:
      return condition satisfies never;
  }
}

function blocksWithWord(
  file: SegmentFile,
  blocks: ReadonlySet<number>,
  word: string,
): ReadonlySet<number> {
  const inText = file.filter.candidatesOf(word);
  if (!inText.ok) {
    return blocks;
  }
  const mayElide = file.mayElide(word);
  return new Set(
    [...blocks].filter(
      (block) => inText.value.has(block) || (mayElide && elides(file, block, word)),
    ),
  );
}

/** Blocks in which an attribute or an escape may hold the value stay, whatever their words. */
function blocksWithField(
  file: SegmentFile,
  blocks: ReadonlySet<number>,
  { of, isPlain }: WordsOfField,
  isLabel: (name: string) => boolean,
): ReadonlySet<number> {
  const judged = new Set(
    [...blocks].filter((block) => {
      const { hasAttributes, hidesWords } = file.traitsOf(block);
      return !hasAttributes && !(isPlain && hidesWords);
    }),
  );
  const found = blocksWithWords(file, judged, of, isLabel);
  return new Set([...blocks].filter((block) => !judged.has(block) || found.has(block)));
}

function elides(file: SegmentFile, block: number, word: string): boolean {
  const index = file.openIndex(block);
  return !index.ok || elidesWord(index.value, word);
}
