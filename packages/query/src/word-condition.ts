import type { FieldTerm, Filter, TextPattern } from "./ast.ts";
import { bodyFieldHint } from "./body-field.ts";
import { allOf, anyOf, type ConditionTree, TRUE } from "./condition-tree.ts";
import { textsOfValue } from "./field-text.ts";
import { regexCondition } from "./text-condition.ts";
import type { TextCondition } from "./text-condition.ts";
import { lowerAscii, wordsIn } from "./word.ts";

/** Which whole words, ASCII capitals made small, the bodies of a block must hold so that one of them may match. */
export type WordCondition = ConditionTree<RequiredWord | WordsOfField>;

interface RequiredWord {
  readonly kind: "word";
  readonly word: string;
}

/** Holds for records in which the field is neither an attribute nor a label. Of others it says nothing. */
export interface WordsOfField {
  readonly kind: "field";
  readonly name: string;
  /** Whether it holds only where `hidesWords` says no of the bodies. */
  readonly isPlain: boolean;
  readonly of: WordCondition;
}

/**
 * What every matching record's body fulfils. A word at an open side of a text may go on in the body, so it is none that
 * must be there; what levels, `not`, `host` and `source` ask for is not said by words.
 */
export function requiredWordSets(filter: Filter): WordCondition {
  switch (filter.kind) {
    case "text":
      return wordsOfText(filter.pattern);
    case "regex":
      return wordsOfCondition(regexCondition(filter.source, filter.ignoreCase));
    case "and":
      return allWords(filter.parts.map(requiredWordSets));
    case "or":
      return anyOf(filter.parts.map(requiredWordSets));
    case "all":
    case "not":
    case "level":
      return TRUE;
    case "field":
      return filter.name === "host" || filter.name === "source" ? TRUE : wordsOfField(filter);
    default:
      return filter satisfies never;
  }
}

/** The words that every matching record holds in its body, whatever else it holds; each once, in the query's order. */
export function requiredWords(filter: Filter): readonly string[] {
  return Array.from(new Set(certainWords(requiredWordSets(filter))));
}

function certainWords(condition: WordCondition): readonly string[] {
  switch (condition.kind) {
    case "true":
    case "field":
      return [];
    case "word":
      return [condition.word];
    case "all":
      return condition.of.flatMap(certainWords);
    case "any": {
      const [first = [], ...rest] = condition.of.map(certainWords);
      return first.filter((word) => rest.every((words) => words.includes(word)));
    }
    default:
      return condition satisfies never;
  }
}

function wordsOfCondition(condition: TextCondition): WordCondition {
  switch (condition.kind) {
    case "true":
      return TRUE;
    case "text":
      return wordsOfText({ text: condition.text, wholeStart: false, wholeEnd: false });
    case "all":
      return allWords(condition.of.map(wordsOfCondition));
    case "any":
      return anyOf(condition.of.map(wordsOfCondition));
    default:
      return condition satisfies never;
  }
}

/** The name stands as it is, between characters that are of no word; the value does in a plain body. */
function wordsOfField({ name, test }: FieldTerm): WordCondition {
  const key = wordsOfText({ text: bodyFieldHint(name), wholeStart: true, wholeEnd: true });
  const value = allWords(textsOfValue(test).map(wordsOfText));
  return allWords([
    ...(key.kind === "true" ? [] : [{ kind: "field" as const, name, isPlain: false, of: key }]),
    ...(value.kind === "true" ? [] : [{ kind: "field" as const, name, isPlain: true, of: value }]),
  ]);
}

function wordsOfText({ text, wholeStart, wholeEnd }: TextPattern): WordCondition {
  const whole = wordsIn(text).filter(
    ({ word, at }) => (at > 0 || wholeStart) && (at + word.length < text.length || wholeEnd),
  );
  return allWords(whole.map(({ word }) => ({ kind: "word", word: lowerAscii(word) })));
}

/** Each word once. */
function allWords(conditions: readonly WordCondition[]): WordCondition {
  return allOf(conditions, (leaf) => (leaf.kind === "word" ? leaf.word : undefined));
}
