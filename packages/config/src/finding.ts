import type * as z from "zod";
import type { KeyPath } from "./key-path.ts";

/** One fault that validation found, in plain words and without unions inside it. */
export interface Finding {
  readonly path: KeyPath;
  readonly message: string;
  /** `rule`: the value has the right form, but the schema's own condition (`refine`) or reader says no. */
  readonly kind: "value" | "rule" | "unknown-key";
}

type Issue = z.core.$ZodIssue;
type Branch = readonly Finding[];

const NO_BRANCH = "no branch of the union matches";
const EXPECTED = "expected ";

/** The wording of every fault for which the schema itself has no message. Pass it to zod as `error`. */
export function describeIssue(issue: z.core.$ZodRawIssue): string | undefined {
  switch (issue.code) {
    case "invalid_type":
      return EXPECTED + typeName(String(issue.expected));
    case "invalid_value":
      return EXPECTED + oneOf(issue.values.map(String));
    case "invalid_union":
      return NO_BRANCH;
    case "unrecognized_keys":
      return "unknown key";
    case "too_small":
      return `${EXPECTED}${issue.inclusive === false ? "more than" : "at least"} ${amount(issue.origin, issue.minimum)}`;
    case "too_big":
      return `${EXPECTED}${issue.inclusive === false ? "less than" : "at most"} ${amount(issue.origin, issue.maximum)}`;
    default:
      // zod's own sentence is good for the rest: formats, multiples, keys of records.
      return undefined;
  }
}

/** Turns zod's issues into findings: one per unknown key, and for a union the faults of the branch that was meant. */
export function toFindings(issues: readonly Issue[], base: KeyPath = []): readonly Finding[] {
  return issues.flatMap((issue): readonly Finding[] => {
    const path = [...base, ...issue.path.map(toStep)];
    switch (issue.code) {
      case "unrecognized_keys":
        return issue.keys.map((key) => ({
          path: [...path, key],
          message: issue.message,
          kind: "unknown-key",
        }));
      case "invalid_union":
        return issue.message === NO_BRANCH && issue.errors.length > 0
          ? meantBranch(
              issue.errors.map((errors) => toFindings(errors, path)),
              path,
            )
          : [{ path, message: unionMessage(issue), kind: "value" }];
      default:
        return [{ path, message: issue.message, kind: issue.code === "custom" ? "rule" : "value" }];
    }
  });
}

/**
 * Chooses the branch of a union that the writer had in mind: one whose kind of value (text, list, mapping) is right, and
 * among mappings the one that knows most of the keys. Keys that no branch knows are the fault itself.
 */
function meantBranch(branches: readonly Branch[], path: KeyPath): Branch {
  const isHere = (finding: Finding): boolean => finding.path.length === path.length;
  const inside = branches.filter((branch) => !branch.some(isHere));
  if (inside.length === 0) {
    return [{ path, message: joinMessages(branches.flat().filter(isHere)), kind: "value" }];
  }
  const unknownEverywhere = unknownKeys(inside[0] ?? []).filter((unknown) =>
    inside.every((branch) =>
      unknownKeys(branch).some(({ path: other }) => samePath(other, unknown.path)),
    ),
  );
  if (unknownEverywhere.length > 0) {
    return unknownEverywhere;
  }
  return inside.reduce((best, branch) => (faultScore(branch) < faultScore(best) ? branch : best));
}

function unknownKeys(branch: Branch): Branch {
  return branch.filter(({ kind }) => kind === "unknown-key");
}

/** An unknown key weighs more than any number of faults in known ones. */
function faultScore(branch: Branch): number {
  return unknownKeys(branch).length * 1000 + branch.length;
}

/** `expected a` and `expected b` become `expected a or b`; a fault beyond mere expectation says more, so it goes first. */
function joinMessages(findings: readonly Finding[]): string {
  const messages = [...new Set(findings.map(({ message }) => message))];
  const specific = messages.find((message) => !message.startsWith(EXPECTED));
  return (
    specific ?? EXPECTED + messages.map((message) => message.slice(EXPECTED.length)).join(" or ")
  );
}

function unionMessage(issue: Extract<Issue, { code: "invalid_union" }>): string {
  if (issue.message !== NO_BRANCH) {
    return issue.message;
  }
  return "options" in issue && issue.options !== undefined
    ? EXPECTED + oneOf(issue.options.map(String))
    : "more than one reading is possible";
}

function oneOf(values: readonly string[]): string {
  return values.length === 1 ? (values[0] ?? "") : `one of ${values.join(", ")}`;
}

function typeName(expected: string): string {
  switch (expected) {
    case "string":
      return "a text";
    case "number":
      return "a number";
    case "int":
      return "a whole number";
    case "boolean":
      return "true or false";
    case "array":
      return "a list";
    case "object":
    case "record":
      return "a mapping";
    default:
      return expected;
  }
}

function amount(origin: string, limit: number | bigint): string {
  switch (origin) {
    case "string":
      return `${limit} ${limit === 1 ? "character" : "characters"}`;
    case "array":
      return `${limit} ${limit === 1 ? "entry" : "entries"}`;
    default:
      return String(limit);
  }
}

function toStep(step: PropertyKey): string | number {
  return typeof step === "symbol" ? String(step) : step;
}

function samePath(a: KeyPath, b: KeyPath): boolean {
  return a.length === b.length && a.every((step, index) => step === b[index]);
}
