import type { FieldTerm, Filter } from "./ast.ts";
import { bodyFieldHint } from "./body-field.ts";
import { longestPlain, textsOfValue } from "./field-text.ts";
import { MAX_TEXTS, regexCondition } from "./text-condition.ts";
import type { RequiredText, TextCondition } from "./text-condition.ts";

/** Texts of which every matching record holds at least one in its body. */
export interface Requirement {
  /** At least one. */
  readonly anyOf: readonly RequiredText[];
  /** Holds only for records in which none of these fields is an attribute or a label. */
  readonly bodyFields: readonly string[];
  /** Whether it holds only where `hidesWords` says no of the bodies. */
  readonly isPlain: boolean;
}

/** A shorter value is in more bodies than the name of its field. */
const MIN_VALUE_LENGTH = 3;

/**
 * Finds the requirement that is likely to leave the fewest records to look at, or undefined where a record may match
 * whatever its body holds. `plain` allows it to be one of plain bodies only.
 */
export function findRequirement(filter: Filter, plain: boolean): Requirement | undefined {
  switch (filter.kind) {
    case "text":
      return ofText({ text: filter.pattern.text, anyCase: true });
    case "regex":
      return requirementOf(regexCondition(filter.source, filter.ignoreCase));
    case "field":
      return filter.name === "host" || filter.name === "source"
        ? undefined
        : ofField(filter, plain);
    case "and":
      return best(filter.parts.map((part) => findRequirement(part, plain)));
    case "or":
      return union(filter.parts.map((part) => findRequirement(part, plain)));
    case "all":
    case "not":
    case "level":
      return undefined;
    default:
      return filter satisfies never;
  }
}

function ofText(text: RequiredText): Requirement {
  return { anyOf: [text], bodyFields: [], isPlain: false };
}

/** In a plain body the value stands as it is, and tells records apart; in any other one only the name does. */
function ofField({ name, test }: FieldTerm, plain: boolean): Requirement {
  const value = plain ? longestPlain(textsOfValue(test)) : "";
  const isPlain = value.length >= MIN_VALUE_LENGTH;
  const text = isPlain
    ? { text: value, anyCase: test.kind === "text" }
    : { text: bodyFieldHint(name), anyCase: false };
  return { anyOf: [text], bodyFields: [name], isPlain };
}

/** Of conditions that hold together the best one, of several of which one must hold all. */
function requirementOf(condition: TextCondition): Requirement | undefined {
  switch (condition.kind) {
    case "true":
      return undefined;
    case "text":
      return ofText(condition);
    case "all":
      return best(condition.of.map(requirementOf));
    case "any":
      return union(condition.of.map(requirementOf));
    default:
      return condition satisfies never;
  }
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

function rank({ anyOf, bodyFields, isPlain }: Requirement): number {
  const shortest = Math.min(...anyOf.map(({ text }) => text.length));
  return shortest / anyOf.length - (bodyFields.length > 0 && !isPlain ? 1e6 : 0);
}

function union(parts: readonly (Requirement | undefined)[]): Requirement | undefined {
  const anyOf: RequiredText[] = [];
  const bodyFields: string[] = [];
  let isPlain = false;
  for (const part of parts) {
    if (part === undefined) {
      return undefined;
    }
    anyOf.push(...part.anyOf);
    bodyFields.push(...part.bodyFields);
    isPlain ||= part.isPlain;
  }
  return anyOf.length > MAX_TEXTS ? undefined : { anyOf, bodyFields, isPlain };
}
