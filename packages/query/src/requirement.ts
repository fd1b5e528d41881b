import type { Filter } from "./ast.ts";
import { bodyFieldHint } from "./body-field.ts";
import { MAX_TEXTS, regexCondition } from "./text-condition.ts";
import type { RequiredText, TextCondition } from "./text-condition.ts";

/** Texts of which every matching record holds at least one in its body. */
export interface Requirement {
  /** At least one. */
  readonly anyOf: readonly RequiredText[];
  /** Holds only for records in which none of these fields is an attribute or a label. */
  readonly bodyFields: readonly string[];
}

/**
 * Finds the requirement that is likely to leave the fewest records to look at, or undefined where a record may match
 * whatever its body holds.
 */
export function findRequirement(filter: Filter): Requirement | undefined {
  switch (filter.kind) {
    case "text":
      return { anyOf: [{ text: filter.pattern.text, anyCase: true }], bodyFields: [] };
    case "regex":
      return requirementOf(regexCondition(filter.source, filter.ignoreCase));
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

/** Of conditions that hold together the best one, of several of which one must hold all. */
function requirementOf(condition: TextCondition): Requirement | undefined {
  switch (condition.kind) {
    case "true":
      return undefined;
    case "text":
      return { anyOf: [condition], bodyFields: [] };
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
