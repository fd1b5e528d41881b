import { err, ok } from "@sluice/quantity";
import type { Result } from "@sluice/quantity";
import { allOf, anyOf } from "./ast.ts";
import type { Filter, Query } from "./ast.ts";
import { lexFilter } from "./lexer.ts";
import type { Token } from "./lexer.ts";
import { QueryFault } from "./query-error.ts";
import type { QueryError } from "./query-error.ts";
import { parseStages } from "./stage-parser.ts";

/** Longer than anyone types, short enough for every later step to be quick. In UTF-16 units. */
export const MAX_QUERY_LENGTH = 16_384;
/** Parentheses and negations inside one another: what every recursion over the tree is bounded by. */
export const MAX_QUERY_DEPTH = 100;

/**
 * Reads a query: a filter, then stages behind pipes. The empty filter is `*`.
 * `or` binds loosest, then `and` (also by standing side by side), then `not` and `-`.
 */
export function parseQuery(text: string): Result<Query, QueryError> {
  try {
    checkText(text);
    const tokens = lexFilter(text);
    const end = tokens[tokens.length - 1]?.at ?? text.length;
    const filter = new FilterParser(tokens).parse();
    return ok({ filter, stages: parseStages(text, end) });
  } catch (fault) {
    if (fault instanceof QueryFault) {
      return err(fault.error);
    }
    throw fault;
  }
}

function checkText(text: string): void {
  if (text.length > MAX_QUERY_LENGTH) {
    throw new QueryFault(
      `the query is longer than ${MAX_QUERY_LENGTH} characters`,
      MAX_QUERY_LENGTH,
      text.length - MAX_QUERY_LENGTH,
    );
  }
  if (!text.isWellFormed()) {
    // toWellFormed replaces unit by unit, so the first difference is the place.
    const whole = text.toWellFormed();
    const at = Array.from({ length: text.length }, (_, i) => i).find((i) => text[i] !== whole[i]);
    throw new QueryFault("the query holds half of a character", at ?? 0, 1);
  }
}

class FilterParser {
  readonly #tokens: readonly Token[];
  #next = 0;
  #depth = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  parse(): Filter {
    if (this.#peek().kind === "end") {
      return { kind: "all" };
    }
    const filter = this.#parseOr();
    const rest = this.#peek();
    if (rest.kind === "close") {
      throw new QueryFault(
        "this parenthesis was never opened",
        rest.at,
        1,
        'remove it, or write ")" for the character',
      );
    }
    return filter;
  }

  #parseOr(): Filter {
    const parts = [this.#parseAnd()];
    while (this.#peek().kind === "or") {
      const or = this.#take();
      this.#expectOperand(or, "or");
      parts.push(this.#parseAnd());
    }
    return anyOf(parts);
  }

  #parseAnd(): Filter {
    const parts = [this.#parseUnary()];
    for (;;) {
      const token = this.#peek();
      if (token.kind === "and") {
        this.#expectOperand(this.#take(), "and");
      } else if (token.kind === "or" || token.kind === "close" || token.kind === "end") {
        return allOf(parts);
      }
      parts.push(this.#parseUnary());
    }
  }

  #parseUnary(): Filter {
    const token = this.#take();
    switch (token.kind) {
      case "term":
        return token.term;
      case "all":
        return { kind: "all" };
      case "minus":
      case "not": {
        this.#expectOperand(token, token.kind === "minus" ? "-" : "not");
        this.#enter(token);
        const part = this.#parseUnary();
        this.#depth--;
        return { kind: "not", part };
      }
      case "open":
        return this.#parseGroup(token);
      case "and":
      case "or":
        throw new QueryFault(
          `${token.kind} has nothing before it`,
          token.at,
          token.length,
          `write a term on each side, or "${token.kind}" for the word`,
        );
      case "close":
        throw new QueryFault(
          "this parenthesis was never opened",
          token.at,
          1,
          'remove it, or write ")" for the character',
        );
      case "end":
        // Every caller has looked: an operand is there.
        throw new QueryFault("a term is missing", token.at, 1);
      default:
        return token satisfies never;
    }
  }

  #parseGroup(open: Token): Filter {
    this.#enter(open);
    if (this.#peek().kind === "close") {
      throw new QueryFault(
        "the parentheses are empty",
        open.at,
        this.#peek().at + 1 - open.at,
        'put a term between them, or write "()" for the characters',
      );
    }
    if (this.#peek().kind === "end") {
      throw unclosed(open);
    }
    const filter = this.#parseOr();
    if (this.#peek().kind !== "close") {
      throw unclosed(open);
    }
    this.#next++;
    this.#depth--;
    return filter;
  }

  #enter(token: Token): void {
    if (++this.#depth > MAX_QUERY_DEPTH) {
      throw new QueryFault(
        `parentheses and negations nest deeper than ${MAX_QUERY_DEPTH}`,
        token.at,
        token.length,
      );
    }
  }

  #expectOperand(operator: Token, name: string): void {
    const { kind } = this.#peek();
    if (kind === "end" || kind === "close") {
      throw new QueryFault(
        `${name} has nothing after it`,
        operator.at,
        operator.length,
        `write a term behind it, or "${name}" for the text`,
      );
    }
  }

  #peek(): Token {
    const token = this.#tokens[Math.min(this.#next, this.#tokens.length - 1)];
    if (token === undefined) {
      throw new RangeError("a filter has at least its end token");
    }
    return token;
  }

  #take(): Token {
    const token = this.#peek();
    this.#next++;
    return token;
  }
}

function unclosed(open: Token): QueryFault {
  return new QueryFault(
    "this parenthesis is not closed",
    open.at,
    1,
    'put a ) behind the group, or write "(" for the character',
  );
}
