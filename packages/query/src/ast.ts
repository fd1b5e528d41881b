/**
 * What a query says. `parseQuery` makes it, `printFilter` writes it back, everything else reads it.
 * Trees from the parser are canonical: no `and` directly inside `and`, no `or` directly inside `or`.
 */
export interface Query {
  readonly filter: Filter;
  readonly stages: readonly Stage[];
}

export type Filter = All | And | Or | Not | Term;

export interface All {
  readonly kind: "all";
}

/** At least two parts. */
export interface And {
  readonly kind: "and";
  readonly parts: readonly Filter[];
}

/** At least two parts. */
export interface Or {
  readonly kind: "or";
  readonly parts: readonly Filter[];
}

export interface Not {
  readonly kind: "not";
  readonly part: Filter;
}

export type Term = TextTerm | RegexTerm | LevelTerm | FieldTerm;

/** Text somewhere in the body. */
export interface TextTerm {
  readonly kind: "text";
  readonly pattern: TextPattern;
}

/**
 * Text as written, ASCII letters in any case. A whole side may not cut a word in two: a word character at that edge
 * of the text must not have another one beside it. `timeout` and `"connection refused"` are whole on both sides,
 * `time*` at its start, `*imeou*` on neither.
 */
export interface TextPattern {
  /** Never empty, at most `MAX_TEXT_LENGTH` UTF-16 units. */
  readonly text: string;
  readonly wholeStart: boolean;
  readonly wholeEnd: boolean;
}

/** A JavaScript regular expression over the body, as it stood between its slashes. */
export interface RegexTerm {
  readonly kind: "regex";
  readonly source: string;
  readonly ignoreCase: boolean;
}

/** Severity numbers from `min` to `max`; unknown (0) is only in 0 to 0. `text` is the range as written, in lower case. */
export interface LevelTerm {
  readonly kind: "level";
  readonly text: string;
  readonly min: number;
  readonly max: number;
}

/** `host` and `source` are the stream's; any other name is an attribute, a label or a field of the body. */
export interface FieldTerm {
  readonly kind: "field";
  readonly name: string;
  readonly test: FieldTest;
}

export type FieldTest =
  /** The whole value, in the dialect of `compileNameGlob`. */
  | { readonly kind: "glob"; readonly pattern: string }
  /** Text inside the value. */
  | { readonly kind: "text"; readonly pattern: TextPattern }
  /** The value as a number, against a decimal literal. */
  | { readonly kind: "compare"; readonly operator: ComparisonOperator; readonly number: string };

export type ComparisonOperator = ">=" | "<=" | ">" | "<" | "=";

export type Stage = StatsStage | TopStage | FieldsStage | LimitStage | SortStage;

export interface StatsStage {
  readonly kind: "stats";
  /** At least one. */
  readonly aggregates: readonly Aggregate[];
  readonly by: readonly GroupKey[];
}

export type Aggregate =
  | { readonly kind: "count" }
  | { readonly kind: "min" | "max" | "avg" | "p95" | "uniq"; readonly field: string };

export type GroupKey =
  | { readonly kind: "field"; readonly field: string }
  /** At most one in a stage. */
  | { readonly kind: "time"; readonly bucketMs: number };

export interface TopStage {
  readonly kind: "top";
  readonly count: number;
  readonly field: string;
}

export interface FieldsStage {
  readonly kind: "fields";
  readonly fields: readonly string[];
}

export interface LimitStage {
  readonly kind: "limit";
  readonly count: number;
}

export interface SortStage {
  readonly kind: "sort";
  /** At least one. */
  readonly keys: readonly SortKey[];
}

export interface SortKey {
  readonly field: string;
  readonly descending: boolean;
}

/** A page of text. Longer text in one term is a pasted file, and makes a search of a hostile body quadratic. */
export const MAX_TEXT_LENGTH = 1024;

/** Attributes' keys are bounded likewise; each dot in a name may mean a walk through the rest of a JSON body. */
export const MAX_FIELD_NAME_LENGTH = 256;

/** `parts` joined by `and`, flattened. No part is everything. */
export function allOf(parts: readonly Filter[]): Filter {
  const flat = parts.flatMap((part) => (part.kind === "and" ? part.parts : [part]));
  const [first] = flat;
  return first === undefined
    ? { kind: "all" }
    : flat.length === 1
      ? first
      : { kind: "and", parts: flat };
}

/** `parts` joined by `or`, flattened. Throws a RangeError without any part, which would match nothing. */
export function anyOf(parts: readonly Filter[]): Filter {
  const flat = parts.flatMap((part) => (part.kind === "or" ? part.parts : [part]));
  const [first] = flat;
  if (first === undefined) {
    throw new RangeError("anyOf needs a part");
  }
  return flat.length === 1 ? first : { kind: "or", parts: flat };
}

/** The name of a column of `stats`. */
export function aggregateName(aggregate: Aggregate): string {
  return aggregate.kind === "count" ? "count" : `${aggregate.kind}(${aggregate.field})`;
}
