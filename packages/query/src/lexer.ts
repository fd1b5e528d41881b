import { MAX_FIELD_NAME_LENGTH } from "./ast.ts";
import type { TextPattern, Term } from "./ast.ts";
import { readFieldTerm } from "./field-term.ts";
import { QueryFault } from "./query-error.ts";
import { lexQuoted, matchAt, quote, textPattern } from "./quoted-text.ts";
import { readRegexTerm } from "./regex-term.ts";
import { wordsIn } from "./word.ts";

/** A piece of the filter part of a query. `at` and `length` are in UTF-16 units from the start of the text. */
export type Token = TokenPlace &
  (
    | { readonly kind: "open" | "close" | "minus" | "and" | "or" | "not" | "all" }
    /** The text is over, or a pipe follows. */
    | { readonly kind: "end" }
    | { readonly kind: "term"; readonly term: Term }
  );

interface TokenPlace {
  readonly at: number;
  readonly length: number;
}

const SPACE = /\s*/y;
const BARE = /[^\s()|"]+/y;
/** A name and a colon that are not the start of a URL, of a Windows path or of `Some::Name`. */
const FIELD_START = /([A-Za-z_@\u0080-\uffff][\w.\-@/$\u0080-\uffff]*):(?!\/\/|\\|:)/y;
const MISSING_COLON = /^([A-Za-z_@][\w.@]*)(>=|<=|>|<)(-?\d[\d.]*)$/;
const OPERATORS = new Map([
  ["and", "and"],
  ["or", "or"],
  ["not", "not"],
] as const);

/** Splits the filter in front of the first pipe. The last token is `end`. Throws a QueryFault. */
export function lexFilter(text: string): readonly Token[] {
  const tokens: Token[] = [];
  let at = 0;
  for (;;) {
    at += matchAt(SPACE, text, at).length;
    const token = lexToken(text, at);
    tokens.push(token);
    at += token.length;
    if (token.kind === "end") {
      return tokens;
    }
    if (token.kind === "term" || token.kind === "all") {
      expectSpace(text, token.at, at);
    }
  }
}

function lexToken(text: string, at: number): Token {
  const first = text[at];
  switch (first) {
    case undefined:
    case "|":
      return { kind: "end", at, length: 0 };
    case "(":
      return { kind: "open", at, length: 1 };
    case ")":
      return { kind: "close", at, length: 1 };
    case "-":
      return lexMinus(text, at);
    case "!":
      throw new QueryFault("! is not an operator", at, 1, "write -term or not term");
    case "'":
      throw new QueryFault(
        "a phrase stands in double quotes",
        at,
        matchAt(BARE, text, at).length,
        'write "connection refused"; a term that begins with \' stands in double quotes too',
      );
    case "/": {
      const { value, end } = readRegexTerm(text, at);
      return { kind: "term", term: value, at, length: end - at };
    }
    default:
      return lexText(text, at);
  }
}

function lexMinus(text: string, at: number): Token {
  const next = text[at + 1];
  if (next === undefined || /[\s)|]/.test(next)) {
    throw new QueryFault(
      "- has nothing to exclude",
      at,
      1,
      'write -term without a space between; write "-" for the character',
    );
  }
  if (next === "-") {
    const word = matchAt(BARE, text, at);
    throw new QueryFault(
      "-- excludes twice",
      at,
      word.length,
      `write ${quote(word)} for the text, or one - to exclude`,
    );
  }
  return { kind: "minus", at, length: 1 };
}

function lexText(text: string, at: number): Token {
  const quoted = lexQuoted(text, at);
  if (quoted !== undefined) {
    const { value: pattern, end } = quoted;
    return { kind: "term", term: { kind: "text", pattern }, at, length: end - at };
  }
  FIELD_START.lastIndex = at;
  const name = FIELD_START.exec(text)?.[1];
  if (name !== undefined) {
    if (name.length > MAX_FIELD_NAME_LENGTH) {
      throw new QueryFault(
        `a field's name is longer than ${MAX_FIELD_NAME_LENGTH} characters`,
        at,
        name.length,
        "write the text in quotes if no field is meant",
      );
    }
    const { value: term, end } = readFieldTerm(text, at, name);
    return { kind: "term", term, at, length: end - at };
  }
  const bare = matchAt(BARE, text, at);
  const { length } = bare;
  if (bare === "*") {
    return { kind: "all", at, length };
  }
  const operator = OPERATORS.get(bare.toLowerCase() as "and");
  if (operator !== undefined) {
    return { kind: operator, at, length };
  }
  return { kind: "term", term: { kind: "text", pattern: barePattern(bare, at) }, at, length };
}

function barePattern(bare: string, at: number): TextPattern {
  const comparison = MISSING_COLON.exec(bare);
  if (comparison !== null) {
    const [, name, operator, number] = comparison;
    throw new QueryFault(
      "a comparison needs a colon after the field",
      at,
      bare.length,
      `write ${name}:${operator}${number}, or ${quote(bare)} for the text`,
    );
  }
  const inner = bare.replace(/^\*/, "").replace(/\*$/, "");
  if (inner === "" || inner.includes("*")) {
    const [first = "error", second = "refused"] = wordsIn(bare).map(({ word }) => word);
    throw new QueryFault(
      "* stands at the start or the end of a text, once",
      at,
      bare.length,
      inner === "" ? "write * for everything" : `write /${first}.*${second}/, or both words apart`,
    );
  }
  return textPattern(inner, bare[0] !== "*", !bare.endsWith("*"), at, bare.length);
}

/** `foo(bar)` and `tag="View` are pieces of log lines: splitting them silently would search for something else. */
function expectSpace(text: string, termAt: number, at: number): void {
  const next = text[at];
  if (next === undefined || /[\s)|]/.test(next)) {
    return;
  }
  const term = text.slice(termAt, at);
  const field = /^([A-Za-z_@][\w.]*)=$/.exec(term)?.[1];
  throw new QueryFault(
    next === "(" ? "a ( directly behind a term" : `a ${next} inside a term`,
    at,
    1,
    next === '"' && field !== undefined
      ? `write ${field}:"…" for the field, or the whole text in quotes with \\" for each quote in it`
      : 'put a space between two terms, or write a text that holds it in quotes, as in "main(args)"',
  );
}
