import type { FieldTest, TextPattern } from "./ast.ts";
import { indexOfByte } from "./text-match.ts";

const BACKSLASH = 0x5c;
const QUOTE = 0x22;
const SLASH = 0x2f;
const LF = 0x0a;
/** Behind a backslash also in a plain body, LF at the end of one. */
const MAY_BE_ESCAPED = /["/\\\n]/;

/**
 * Texts that each value which passes a test holds, a side being whole where the value has nothing beside it there.
 * In a plain body (see `hidesWords`) the words of these texts are words of the body.
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

/** The longest text that stands as it is in a plain body which holds such texts; empty for none. */
export function longestPlain(texts: readonly TextPattern[]): string {
  return texts
    .flatMap(({ text }) => text.split(MAY_BE_ESCAPED))
    .reduce((longest, piece) => (piece.length > longest.length ? piece : longest), "");
}

/**
 * Whether an escape may make another text of a value than stands in its body: `\n` and `\u003c` put letters in front of
 * a word. In other bodies a backslash stands only in front of a quote, a slash or another backslash.
 */
export function hidesWords(bodies: Uint8Array): boolean {
  let at = indexOfByte(bodies, BACKSLASH, 0);
  while (at !== -1) {
    const next = bodies[at + 1] ?? LF;
    if (next !== QUOTE && next !== SLASH && next !== BACKSLASH && next !== LF) {
      return true;
    }
    at = indexOfByte(bodies, BACKSLASH, next === BACKSLASH ? at + 2 : at + 1);
  }
  return false;
}
