import { parseLevelRange } from "@sluice/quantity";
import type { ComparisonOperator, FieldTerm, FieldTest, LevelTerm } from "./ast.ts";
import { lexQuoted, matchAt } from "./quoted-text.ts";
import type { Lexed } from "./quoted-text.ts";
import { parseNumberLiteral } from "./number-literal.ts";
import { QueryFault } from "./query-error.ts";

const BARE_VALUE = /[^\s()|"]+/y;
const COMPARISON = /^(>=|<=|>|<|=)(.*)$/s;

/** Reads `NAME:value` at a place where the name and its colon stand. Throws a QueryFault. */
export function readFieldTerm(
  text: string,
  at: number,
  name: string,
): Lexed<FieldTerm | LevelTerm> {
  const valueAt = at + name.length + 1;
  const quoted = lexQuoted(text, valueAt);
  if (quoted !== undefined) {
    const { value: pattern, end } = quoted;
    const value: FieldTerm | LevelTerm =
      name === "level"
        ? levelTerm(pattern.text, valueAt, end - valueAt)
        : { kind: "field", name, test: { kind: "text", pattern } };
    return { value, end };
  }
  const bare = matchAt(BARE_VALUE, text, valueAt);
  if (bare === "") {
    throw new QueryFault(
      `the field ${name} has no value`,
      at,
      name.length + 1,
      `write ${name}:value without a space, ${name}:* for any value, or "${name}:" for the text`,
    );
  }
  const end = valueAt + bare.length;
  return {
    value:
      name === "level"
        ? levelTerm(bare, valueAt, bare.length)
        : { kind: "field", name, test: readTest(name, bare, valueAt) },
    end,
  };
}

function readTest(name: string, bare: string, at: number): FieldTest {
  const comparison = COMPARISON.exec(bare);
  if (comparison === null) {
    if (bare.startsWith("!=")) {
      throw new QueryFault("!= is not an operator", at, 2, `write -${name}:${bare.slice(2)}`);
    }
    return { kind: "glob", pattern: bare };
  }
  const operator = comparison[1] as ComparisonOperator;
  const number = comparison[2] ?? "";
  if (name === "host" || name === "source") {
    throw new QueryFault(
      `${name} is a name and cannot be compared`,
      at,
      operator.length,
      `write ${name}:NAME, with * for any characters`,
    );
  }
  if (number === "") {
    throw new QueryFault(
      `no number stands behind ${operator}`,
      at,
      operator.length,
      `write it without a space: ${name}:${operator}500`,
    );
  }
  if (parseNumberLiteral(number) === undefined) {
    throw new QueryFault(
      `${operator} compares with a number, and ${number} is not one`,
      at + operator.length,
      number.length,
      `write ${name}:${operator}500; a text is matched by ${name}:text or ${name}:te*`,
    );
  }
  return { kind: "compare", operator, number };
}

function levelTerm(text: string, at: number, length: number): LevelTerm {
  const written = text.replaceAll(/\s+/g, "").toLowerCase();
  const range = parseLevelRange(written);
  if (!range.ok) {
    throw new QueryFault(
      `level:${text} names no level`,
      at,
      length,
      range.error.replace(/^expected a level:/, "the levels are"),
    );
  }
  return { kind: "level", text: written, ...range.value };
}
