import { allOf, MAX_TEXT_LENGTH } from "./ast.ts";
import type { FieldTerm, Filter, Term, TextPattern } from "./ast.ts";
import { printFilter } from "./printer.ts";
import { wordsIn } from "./word.ts";

/** A filter that asks for less than one that found nothing. */
export interface Suggestion {
  readonly filter: Filter;
  /** What to print if it finds something: "no whole word `timeou`; `*timeou*` matches". */
  readonly sentence: string;
}

/** Each is a query more: so many are worth their time when nothing was found. */
const MAX_SUGGESTIONS = 16;

/**
 * What to try when a filter found nothing, the smallest step first: each asks for less in one term, then each leaves out
 * one term of several. Terms under a `not` or an `or` are left alone.
 */
export function suggestFilters(filter: Filter): readonly Suggestion[] {
  const parts = filter.kind === "and" ? filter.parts : [filter];
  const relaxed = parts.flatMap((part, i) =>
    relaxations(part).map(({ filter: weaker, sentence }): Suggestion => ({
      filter: allOf(parts.with(i, weaker)),
      sentence,
    })),
  );
  const without =
    parts.length < 2
      ? []
      : parts.map((part, i): Suggestion => {
          const rest = allOf(parts.toSpliced(i, 1));
          return {
            filter: rest,
            sentence: `nothing with \`${printFilter(part)}\`; \`${printFilter(rest)}\` matches`,
          };
        });
  return [...relaxed, ...without].slice(0, MAX_SUGGESTIONS);
}

function relaxations(part: Filter): readonly Suggestion[] {
  switch (part.kind) {
    case "text":
      return relaxText(part.pattern);
    case "regex":
      return part.ignoreCase
        ? []
        : [instead(part, { ...part, ignoreCase: true }, "no match in this case of")];
    case "field":
      return relaxField(part);
    case "all":
    case "and":
    case "or":
    case "not":
    case "level":
      return [];
    default:
      return part satisfies never;
  }
}

function relaxText(pattern: TextPattern): readonly Suggestion[] {
  const part: Filter = { kind: "text", pattern };
  const words = wordsIn(pattern.text);
  const open = openSides(pattern);
  const suggestions: Suggestion[] = [];
  if (pattern.wholeStart || pattern.wholeEnd) {
    const missing = words.length > 1 ? "no phrase" : "no whole word";
    suggestions.push(instead(part, { kind: "text", pattern: open }, missing));
  }
  if (words.length > 1) {
    const apart = words.map(({ word }): Filter => ({
      kind: "text",
      pattern: { ...pattern, text: word },
    }));
    suggestions.push(instead(part, allOf(apart), "no phrase"));
  }
  return suggestions;
}

function relaxField(part: FieldTerm): readonly Suggestion[] {
  const { name, test } = part;
  switch (test.kind) {
    case "glob": {
      const suggestions: Suggestion[] = [];
      if (!test.pattern.includes("*")) {
        const within: Term = {
          kind: "field",
          name,
          test: { kind: "glob", pattern: `*${test.pattern}*` },
        };
        suggestions.push(instead(part, within, "no value is"));
      }
      // A colon may just have been a part of the text.
      const text = `${name}:${test.pattern.replaceAll("*", "")}`;
      if (name !== "host" && name !== "source" && text.length <= MAX_TEXT_LENGTH) {
        const pattern = { text, wholeStart: false, wholeEnd: false };
        suggestions.push(instead(part, { kind: "text", pattern }, "no field"));
      }
      return suggestions;
    }
    case "text": {
      const open = openSides(test.pattern);
      return test.pattern.wholeStart || test.pattern.wholeEnd
        ? [
            instead(
              part,
              { kind: "field", name, test: { kind: "text", pattern: open } },
              "no value has",
            ),
          ]
        : [];
    }
    case "compare":
      return [
        instead(part, { kind: "field", name, test: { kind: "glob", pattern: "*" } }, "no value is"),
      ];
    default:
      return test satisfies never;
  }
}

function instead(part: Filter, weaker: Filter, missing: string): Suggestion {
  return {
    filter: weaker,
    sentence: `${missing} \`${printFilter(part)}\`; \`${printFilter(weaker)}\` matches`,
  };
}

function openSides(pattern: TextPattern): TextPattern {
  return { ...pattern, wholeStart: false, wholeEnd: false };
}
