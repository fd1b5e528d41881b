import { QueryFault } from "./query-error.ts";
import { matchAt } from "./quoted-text.ts";

/** A piece of the stages behind the filter. `at` counts UTF-16 units from the start of the query. */
export interface StageToken {
  readonly kind: "name" | "amount" | "pipe" | "open" | "close" | "comma" | "end";
  readonly text: string;
  readonly at: number;
}

const SPACE = /\s*/y;
/** Names begin as they do in a filter; what begins with a digit is a number or a duration. */
const NAME = /[A-Za-z_@\u0080-\uffff][\w.\-@/$\u0080-\uffff]*/y;
const AMOUNT = /\d[\w.]*/y;
const PUNCTUATION: Readonly<Record<string, StageToken["kind"]>> = {
  "|": "pipe",
  "(": "open",
  ")": "close",
  ",": "comma",
};

/** Splits the stages from `from`, where the first pipe stands or the query ends. The last token is `end`. */
export function lexStages(text: string, from: number): readonly StageToken[] {
  const tokens: StageToken[] = [];
  let at = from;
  for (;;) {
    at += matchAt(SPACE, text, at).length;
    const first = text[at];
    if (first === undefined) {
      tokens.push({ kind: "end", text: "", at });
      return tokens;
    }
    const token = lexToken(text, at, first);
    tokens.push(token);
    at += token.text.length;
  }
}

/** Tokens taken one after the other; behind the last one is always `end`. */
export class StageTokens {
  readonly #tokens: readonly StageToken[];
  #next = 0;

  constructor(tokens: readonly StageToken[]) {
    this.#tokens = tokens;
  }

  peek(): StageToken {
    const token = this.#tokens[Math.min(this.#next, this.#tokens.length - 1)];
    if (token === undefined) {
      throw new RangeError("stages have at least their end token");
    }
    return token;
  }

  take(): StageToken {
    const token = this.peek();
    this.#next++;
    return token;
  }

  takeIf(kind: StageToken["kind"]): boolean {
    const found = this.peek().kind === kind;
    this.#next += found ? 1 : 0;
    return found;
  }

  takeWord(word: string): boolean {
    const { kind, text } = this.peek();
    const found = kind === "name" && text === word;
    this.#next += found ? 1 : 0;
    return found;
  }

  /** Throws a QueryFault with the message and the hint where another token comes. */
  expect(kind: StageToken["kind"], message: string, hint: string): void {
    const token = this.take();
    if (token.kind !== kind) {
      throw new QueryFault(message, token.at, token.text.length, hint);
    }
  }
}

function lexToken(text: string, at: number, first: string): StageToken {
  const punctuation = PUNCTUATION[first];
  if (punctuation !== undefined) {
    return { kind: punctuation, text: first, at };
  }
  const name = matchAt(NAME, text, at);
  if (name !== "") {
    return { kind: "name", text: name, at };
  }
  const amount = matchAt(AMOUNT, text, at);
  if (amount !== "") {
    return { kind: "amount", text: amount, at };
  }
  throw new QueryFault(
    `${first} has no meaning behind a pipe`,
    at,
    1,
    "a filter stands before the first |; stages hold names, numbers, commas and parentheses",
  );
}
