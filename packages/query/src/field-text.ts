import type { FieldTest, TextPattern } from "./ast.ts";
import { indexOfByte } from "./text-match.ts";
import { WORD_BYTES, wordsIn } from "./word.ts";

const BACKSLASH = 0x5c;
const LF = 0x0a;

/**
 * Texts that each value which passes a test holds, a side being whole where the value has nothing beside it there.
 * In a body where no escape hides words, the words of these texts are words of the body.
 */
export function textsOfValue(test: FieldTest): readonly TextPattern[] {
  switch (test.kind) {
    case "glob":
      return cut(
        { text: test.pattern, wholeStart: true, wholeEnd: true },
        /[*?\ufffd\ud800-\udfff]/u,
      );
    case "text":
      return cut(test.pattern, /[\ufffd\ud800-\udfff]/u);
    case "compare":
      // 500 is also 5e2.
      return [];
    default:
      return test satisfies never;
  }
}

/** Cuts a text where it says nothing of the body's bytes: an invalid one is read as U+FFFD. */
function cut({ text, wholeStart, wholeEnd }: TextPattern, at: RegExp): readonly TextPattern[] {
  const pieces = text.split(at);
  return pieces.map((piece, i) => ({
    text: piece,
    wholeStart: wholeStart && i === 0,
    wholeEnd: wholeEnd && i === pieces.length - 1,
  }));
}

/** The longest run of characters of words in such texts, which stands as it is in a plain body; empty for none. */
export function longestRun(texts: readonly TextPattern[]): string {
  return texts
    .flatMap(({ text }) => wordsIn(text))
    .reduce((longest, { word }) => (word.length > longest.length ? word : longest), "");
}

/**
 * Whether an escape may make other words of a value than stand in the body: `\n` and `\u003c` put letters in front of
 * one. So may a backslash in front of what an encoding left out, as which any control character is taken but LF.
 */
export function hidesWords(bodies: Uint8Array): boolean {
  for (let at = indexOfByte(bodies, BACKSLASH, 0); at !== -1;) {
    const next = bodies[at + 1] ?? LF;
    if (WORD_BYTES[next] === 1 || (next < 0x20 && next !== LF)) {
      return true;
    }
    at = indexOfByte(bodies, BACKSLASH, at + 1);
  }
  return false;
}
