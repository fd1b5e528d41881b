import type { FieldTest, Filter, TextPattern } from "./ast.ts";
import { quote } from "./quoted-text.ts";
import { isWord } from "./word.ts";

/**
 * Writes a filter as canonical text; `parseQuery` reads the same tree back. A glob must be one that can be written
 * without quotes, as every glob from the parser is.
 */
export function printFilter(filter: Filter): string {
  switch (filter.kind) {
    case "all":
      return "*";
    case "and":
      return filter.parts
        .map((part) => (part.kind === "or" ? `(${printFilter(part)})` : printFilter(part)))
        .join(" ");
    case "or":
      return filter.parts.map(printFilter).join(" or ");
    case "not": {
      const { kind } = filter.part;
      const part = printFilter(filter.part);
      return kind === "and" || kind === "or" || kind === "not" ? `-(${part})` : `-${part}`;
    }
    case "text":
      return printText(filter.pattern);
    case "regex":
      return `/${filter.source}/${filter.ignoreCase ? "i" : ""}`;
    case "level":
      return `level:${filter.text}`;
    case "field":
      return `${filter.name}:${printTest(filter.test)}`;
    default:
      return filter satisfies never;
  }
}

/** In quotes only where it needs them. */
function printText(pattern: TextPattern): string {
  const { text } = pattern;
  const bare = isWord(text) && !/\s/.test(text) && !/^(?:and|or|not)$/i.test(text);
  return withStars(pattern, bare ? text : quote(text));
}

function printTest(test: FieldTest): string {
  switch (test.kind) {
    case "glob":
      return test.pattern;
    case "text":
      // Always quoted: without quotes it would be a glob over the whole value.
      return withStars(test.pattern, quote(test.pattern.text));
    case "compare":
      return test.operator + test.number;
    default:
      return test satisfies never;
  }
}

function withStars({ wholeStart, wholeEnd }: TextPattern, text: string): string {
  return `${wholeStart ? "" : "*"}${text}${wholeEnd ? "" : "*"}`;
}
