import { MAX_TEXT_LENGTH } from "./ast.ts";
import type { TextPattern } from "./ast.ts";
import { QueryFault } from "./query-error.ts";

/** What a reader of one term found, and where the text goes on. */
export interface Lexed<T> {
  readonly value: T;
  readonly end: number;
}

const QUOTED_START = /\*?"/y;

/** The match of a sticky pattern at a place, or the empty text. */
export function matchAt(sticky: RegExp, text: string, at: number): string {
  sticky.lastIndex = at;
  return sticky.exec(text)?.[0] ?? "";
}

/** Puts a text in quotes, as the lexer reads it. */
export function quote(text: string): string {
  return `"${text.replaceAll(/["\\]/g, "\\$&")}"`;
}

/**
 * Reads `"…"`, `"…"*`, `*"…"` or `*"…"*` at a place, or nothing where none of them begins. In quotes `\"` is a quote and
 * `\\` a backslash; a backslash before anything else stands for itself.
 */
export function lexQuoted(text: string, at: number): Lexed<TextPattern> | undefined {
  const start = matchAt(QUOTED_START, text, at);
  if (start === "") {
    return undefined;
  }
  const from = at + start.length;
  let end = from;
  while (end < text.length && text[end] !== '"') {
    end += text[end] === "\\" && /["\\]/.test(text[end + 1] ?? "") ? 2 : 1;
  }
  if (end >= text.length) {
    throw new QueryFault(
      "the quote is not closed",
      from - 1,
      text.length - from + 1,
      'put a " at the end of the phrase; a quote inside a phrase is written \\"',
    );
  }
  const content = text.slice(from, end).replaceAll(/\\(["\\])/g, "$1");
  if (content === "") {
    throw new QueryFault(
      "the phrase is empty",
      from - 1,
      2,
      "write * for everything, or NAME:* for a field that is there",
    );
  }
  const open = text[end + 1] === "*";
  return {
    value: textPattern(content, start === '"', !open, at, end + 1 - at),
    end: end + (open ? 2 : 1),
  };
}

/** Makes the pattern of a text that was read at a place. Throws a QueryFault where it is too long. */
export function textPattern(
  text: string,
  wholeStart: boolean,
  wholeEnd: boolean,
  at: number,
  length: number,
): TextPattern {
  if (text.length > MAX_TEXT_LENGTH) {
    throw new QueryFault(
      `a text is longer than ${MAX_TEXT_LENGTH} characters`,
      at,
      length,
      "search for a part of it",
    );
  }
  return { text, wholeStart, wholeEnd };
}
