import type { Filter, TextPattern } from "@sluice/query";

/** Half-open, in UTF-16 units. */
interface Span {
  readonly start: number;
  readonly end: number;
}

/** Finds what a filter asked for in a body; the spans are sorted and apart. */
export type Highlighter = (text: string) => readonly Span[];

/** Texts to show in one line; a body that is longer is looked at only so far. */
const MAX_LENGTH = 16 * 1024;

const WORD = String.raw`[A-Za-z0-9_\u0080-\u{10ffff}]`;

/**
 * Highlights the texts and patterns that a record had to contain, those under a `not` left out. Of
 * a pattern only the first match: the search has run exactly that far, so it cannot run away here.
 */
export function createHighlighter(filter: Filter | undefined): Highlighter {
  const texts: string[] = [];
  const patterns: RegExp[] = [];
  collect(filter, texts, patterns);
  const text = texts.length === 0 ? undefined : new RegExp(texts.join("|"), "giu");
  return (body) => {
    const spans: Span[] = [];
    for (const match of text === undefined ? [] : body.slice(0, MAX_LENGTH).matchAll(text)) {
      spans.push({ start: match.index, end: match.index + match[0].length });
    }
    for (const pattern of patterns) {
      const match = pattern.exec(body);
      if (match !== null) {
        spans.push({ start: match.index, end: match.index + match[0].length });
      }
    }
    return merge(spans);
  };
}

function collect(filter: Filter | undefined, texts: string[], patterns: RegExp[]): void {
  switch (filter?.kind) {
    case "and":
    case "or":
      for (const part of filter.parts) {
        collect(part, texts, patterns);
      }
      return;
    case "text":
      texts.push(textSource(filter.pattern));
      return;
    case "regex":
      patterns.push(new RegExp(filter.source, filter.ignoreCase ? "i" : ""));
      return;
    case "field":
      if (filter.test.kind === "text") {
        texts.push(textSource(filter.test.pattern));
      }
      return;
    case undefined:
    case "all":
    case "not":
    case "level":
      return;
    default:
      filter satisfies never;
  }
}

/** The rule of words as a lookaround: an edge that is whole must not cut a word in two. */
function textSource({ text, wholeStart, wholeEnd }: TextPattern): string {
  const isWord = new RegExp(`^${WORD}$`, "u");
  const [first = ""] = text;
  const last = Array.from(text).at(-1) ?? "";
  return [
    wholeStart && isWord.test(first) ? `(?<!${WORD})` : "",
    text.replaceAll(/[\\^$.*+?()[\]{}|/]/g, String.raw`\$&`),
    wholeEnd && isWord.test(last) ? `(?!${WORD})` : "",
  ].join("");
}

function merge(spans: Span[]): readonly Span[] {
  const merged: Span[] = [];
  for (const span of spans.sort((a, b) => a.start - b.start)) {
    const last = merged.at(-1);
    if (span.end === span.start) {
      continue;
    }
    if (last !== undefined && span.start <= last.end) {
      merged[merged.length - 1] = { start: last.start, end: Math.max(last.end, span.end) };
    } else {
      merged.push(span);
    }
  }
  return merged;
}
