import type { Filter, TextPattern } from "./ast.ts";
import { bodyFieldHint } from "./body-field.ts";
import { regexLiterals } from "./regex-literal.ts";
import { lowerAscii, wordsIn } from "./word.ts";

/** Texts of which every matching record holds at least one in its body. */
export interface Requirement {
  /** At least one. */
  readonly anyOf: readonly RequiredText[];
  /** Holds only for records in which none of these fields is an attribute or a label. */
  readonly bodyFields: readonly string[];
}

export interface RequiredText {
  readonly text: string;
  /** Whether ASCII letters may have either case. */
  readonly anyCase: boolean;
}

/** An alternation of more texts is slower than looking at the records. */
const MAX_TEXTS = 16;

/**
 * Finds the requirement that is likely to leave the fewest records to look at, or undefined where a record may match
 * whatever its body holds.
 */
export function findRequirement(filter: Filter): Requirement | undefined {
  switch (filter.kind) {
    case "text":
      return { anyOf: [{ text: filter.pattern.text, anyCase: true }], bodyFields: [] };
    case "regex":
      return best(
        regexLiterals(filter.source).map((text) => ({
          anyOf: [{ text, anyCase: filter.ignoreCase }],
          bodyFields: [],
        })),
      );
    case "field":
      return filter.name === "host" || filter.name === "source"
        ? undefined
        : {
            anyOf: [{ text: bodyFieldHint(filter.name), anyCase: false }],
            bodyFields: [filter.name],
          };
    case "and":
      return best(filter.parts.map(findRequirement));
    case "or":
      return union(filter.parts.map(findRequirement));
    case "all":
    case "not":
    case "level":
      return undefined;
    default:
      return filter satisfies never;
  }
}

/**
 * The whole words, ASCII capitals made small, that every matching record holds in its body; each once, in the query's
 * order. A word at an open side of a text may go on in the body, so it is not one of them.
 */
export function requiredWords(filter: Filter): readonly string[] {
  switch (filter.kind) {
    case "text":
      return wordsOfText(filter.pattern);
    case "regex":
      return unique(
        regexLiterals(filter.source).flatMap((text) =>
          wordsOfText({ text, wholeStart: false, wholeEnd: false }),
        ),
      );
    case "and":
      return unique(filter.parts.flatMap(requiredWords));
    case "or": {
      const [first = [], ...rest] = filter.parts.map(requiredWords);
      return first.filter((word) => rest.every((words) => words.includes(word)));
    }
    case "all":
    case "not":
    case "level":
    case "field":
      return [];
    default:
      return filter satisfies never;
  }
}

function wordsOfText({ text, wholeStart, wholeEnd }: TextPattern): readonly string[] {
  const whole = wordsIn(text).filter(
    ({ word, at }) => (at > 0 || wholeStart) && (at + word.length < text.length || wholeEnd),
  );
  return unique(whole.map(({ word }) => lowerAscii(word)));
}

function unique(words: readonly string[]): readonly string[] {
  return Array.from(new Set(words));
}

/** Text that was asked for beats the name of a field, which every body of its kind holds; then the longest wins. */
function best(candidates: readonly (Requirement | undefined)[]): Requirement | undefined {
  let found: Requirement | undefined;
  for (const candidate of candidates) {
    if (candidate !== undefined && (found === undefined || rank(candidate) > rank(found))) {
      found = candidate;
    }
  }
  return found;
}

function rank({ anyOf, bodyFields }: Requirement): number {
  const shortest = Math.min(...anyOf.map(({ text }) => text.length));
  return shortest / anyOf.length - (bodyFields.length > 0 ? 1e6 : 0);
}

function union(parts: readonly (Requirement | undefined)[]): Requirement | undefined {
  const anyOf: RequiredText[] = [];
  const bodyFields: string[] = [];
  for (const part of parts) {
    if (part === undefined) {
      return undefined;
    }
    anyOf.push(...part.anyOf);
    bodyFields.push(...part.bodyFields);
  }
  return anyOf.length > MAX_TEXTS ? undefined : { anyOf, bodyFields };
}
