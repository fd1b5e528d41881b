import type { Filter } from "./ast.ts";
import { allOf, anyOf } from "./ast.ts";
import { compileFilter } from "./evaluate.ts";
import type { RecordFilter } from "./evaluate.ts";
import type { StreamIdentity } from "./record-field.ts";

/**
 * What is left of a filter for records of one stream whose severities are all in a mask: it says the same of them, and
 * what the stream and the severities decide is gone, so that it may be decided by less. `*` matches each of them.
 */
export type Narrowing = (stream: StreamIdentity, severities: number) => RecordFilter;

/** A term that a stream or severities may decide. */
type Decision = (stream: StreamIdentity, severities: number) => boolean | undefined;

/**
 * Prepares to narrow a filter for many runs of records. What is left is compiled once for all runs of which the same is
 * decided.
 */
export function compileNarrowing(filter: Filter): Narrowing {
  const decisions = new Map<Filter, Decision>();
  collectDecisions(filter, decisions);
  const compiled = new Map<string, RecordFilter>();
  return (stream, severities) => {
    let key = "";
    const decided = new Map<Filter, boolean>();
    for (const [term, decide] of decisions) {
      const result = decide(stream, severities);
      key += result === undefined ? "?" : result ? "1" : "0";
      if (result !== undefined) {
        decided.set(term, result);
      }
    }
    let narrow = compiled.get(key);
    if (narrow === undefined) {
      const left = substitute(filter, decided);
      narrow = compileFilter(typeof left === "boolean" ? (left ? EVERYTHING : NOTHING) : left);
      compiled.set(key, narrow);
    }
    return narrow;
  };
}

const EVERYTHING: Filter = { kind: "all" };
const NOTHING: Filter = { kind: "not", part: EVERYTHING };

function collectDecisions(filter: Filter, decisions: Map<Filter, Decision>): void {
  switch (filter.kind) {
    case "and":
    case "or":
      for (const part of filter.parts) {
        collectDecisions(part, decisions);
      }
      break;
    case "not":
      collectDecisions(filter.part, decisions);
      break;
    case "level":
    case "field": {
      const { severitiesOf } = compileFilter(filter);
      decisions.set(filter, (stream, severities) => {
        const { may, must } = severitiesOf(stream);
        return (may & severities) === 0 ? false : (severities & ~must) === 0 ? true : undefined;
      });
      break;
    }
    case "all":
    case "text":
    case "regex":
      break;
    default:
      filter satisfies never;
  }
}

function substitute(filter: Filter, decided: ReadonlyMap<Filter, boolean>): Filter | boolean {
  switch (filter.kind) {
    case "all":
      return true;
    case "and": {
      const parts = filter.parts.map((part) => substitute(part, decided));
      const left = parts.filter((part) => typeof part !== "boolean");
      return parts.includes(false) ? false : left.length === 0 ? true : allOf(left);
    }
    case "or": {
      const parts = filter.parts.map((part) => substitute(part, decided));
      const left = parts.filter((part) => typeof part !== "boolean");
      return parts.includes(true) ? true : left.length === 0 ? false : anyOf(left);
    }
    case "not": {
      const part = substitute(filter.part, decided);
      return typeof part === "boolean" ? !part : { kind: "not", part };
    }
    case "level":
    case "field":
      return decided.get(filter) ?? filter;
    case "text":
    case "regex":
      return filter;
    default:
      return filter satisfies never;
  }
}
