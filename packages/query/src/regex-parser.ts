import { readClass } from "./regex-class.ts";
import { ANY_TEXT, characterNode, NO_TEXT } from "./regex-syntax.ts";
import type { RegexNode } from "./regex-syntax.ts";

/** A deeper one is given up: nobody writes it, and the stack is not for it. */
const MAX_DEPTH = 100;

const QUANTIFIER = /(?:([*+?])|\{(\d+)(?:(,)(\d*))?\})\??/y;
/** `(`, `(?<name>`, `(?:`, `(?i-s:`, `(?=`, `(?!`, `(?<=`, `(?<!` */
const GROUP = /\((?:\?(?:<[^=!>][^>]*>|[ims]*(?:-[ims]*)?:|(<?=)|(<?!)))?/y;
const ADDS_IGNORE_CASE = /\(\?[ms]*i/;
/** What a backslash makes of what stands behind it, outside of classes. */
const ESCAPE =
  /\\(?:x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|c([A-Za-z])|(\d+)|(k)(?:(<)(?:[\w$\u0080-\uffff]+(>))?)?|([^]))/y;

const CONTROLS: ReadonlyMap<string, string> = new Map([
  ["f", "\f"],
  ["n", "\n"],
  ["r", "\r"],
  ["t", "\t"],
  ["v", "\v"],
]);

/**
 * Reads a regular expression that is valid without the flags `u` and `v`. Undefined where it is nested too deeply or
 * too odd to be read. What is not told apart is `any`, so that the tree never says more than the expression.
 */
export function parseRegex(source: string, ignoreCase: boolean): RegexNode | undefined {
  try {
    // One `(?i:` counts for all: V8 13.6 at times compares characters beside such a group in any case too.
    return new RegexParser(source, ignoreCase || ADDS_IGNORE_CASE.test(source)).parse();
  } catch (error) {
    if (error instanceof UnreadFault) {
      return undefined;
    }
    throw error;
  }
}

class UnreadFault extends Error {}

class RegexParser {
  readonly #source: string;
  readonly #ignoreCase: boolean;
  #at = 0;
  #depth = 0;

  constructor(source: string, ignoreCase: boolean) {
    this.#source = source;
    this.#ignoreCase = ignoreCase;
  }

  parse(): RegexNode {
    return this.#readChoice();
  }

  /** Up to the closing parenthesis or the end. */
  #readChoice(): RegexNode {
    const parts = [this.#readSequence()];
    while (this.#source[this.#at] === "|") {
      this.#at++;
      parts.push(this.#readSequence());
    }
    const [first] = parts;
    return first !== undefined && parts.length === 1 ? first : { kind: "choice", parts };
  }

  #readSequence(): RegexNode {
    const parts: RegexNode[] = [];
    while (this.#at < this.#source.length && !"|)".includes(this.#source.charAt(this.#at))) {
      const part = this.#readAtom();
      const quantifier = this.#take(QUANTIFIER);
      parts.push(quantifier === undefined ? part : repeat(part, quantifier));
    }
    const [first] = parts;
    return first !== undefined && parts.length === 1 ? first : { kind: "sequence", parts };
  }

  #readAtom(): RegexNode {
    const unit = this.#source.charAt(this.#at);
    switch (unit) {
      case "(":
        return this.#readGroup();
      case "[": {
        const { node, end } = readClass(this.#source, this.#at, this.#ignoreCase);
        this.#at = end;
        return node;
      }
      case "\\":
        return this.#readEscape();
      default:
        this.#at++;
        return unit === "."
          ? ANY_TEXT
          : unit === "^" || unit === "$"
            ? NO_TEXT
            : characterNode(unit, this.#ignoreCase);
    }
  }

  #readGroup(): RegexNode {
    if (++this.#depth > MAX_DEPTH) {
      throw new UnreadFault();
    }
    const [, look, negativeLook] = this.#take(GROUP) ?? [];
    const node = this.#readChoice();
    this.#at++;
    this.#depth--;
    if (negativeLook !== undefined) {
      return NO_TEXT;
    }
    return look === undefined ? node : { kind: "look", part: node };
  }

  #readEscape(): RegexNode {
    const match = this.#take(ESCAPE);
    const [whole = "", hex, unicode, control, digits, reference, open, close, unit] = match ?? [];
    const code = hex ?? unicode;
    if (code !== undefined) {
      return characterNode(String.fromCharCode(Number.parseInt(code, 16)), this.#ignoreCase);
    }
    if (control !== undefined) {
      return characterNode(String.fromCharCode(control.charCodeAt(0) % 32), this.#ignoreCase);
    }
    if (digits !== undefined) {
      // A group's number, an octal one or themselves, depending on how many groups there are.
      return digits === "0" ? characterNode("\0", this.#ignoreCase) : ANY_TEXT;
    }
    if (reference !== undefined) {
      // A group's name, or itself where no group has one.
      if (open !== undefined && close === undefined) {
        throw new UnreadFault();
      }
      return ANY_TEXT;
    }
    if (unit === "c" || unit === undefined) {
      // Without a letter behind it the backslash stands for itself, and so does the c.
      this.#at -= whole.length - 1;
      return characterNode("\\", this.#ignoreCase);
    }
    if ("bB".includes(unit)) {
      return NO_TEXT;
    }
    return "dDwWsS".includes(unit)
      ? ANY_TEXT
      : characterNode(CONTROLS.get(unit) ?? unit, this.#ignoreCase);
  }

  #take(sticky: RegExp): RegExpExecArray | undefined {
    sticky.lastIndex = this.#at;
    const match = sticky.exec(this.#source) ?? undefined;
    this.#at += match?.[0].length ?? 0;
    return match;
  }
}

function repeat(part: RegexNode, [, sign, min, comma, max]: RegExpExecArray): RegexNode {
  switch (sign) {
    case "*":
      return { kind: "repeat", part, min: 0, max: Infinity };
    case "+":
      return { kind: "repeat", part, min: 1, max: Infinity };
    case "?":
      return { kind: "repeat", part, min: 0, max: 1 };
    default: {
      const least = Number(min);
      const most = comma === undefined ? least : max === "" ? Infinity : Number(max);
      return { kind: "repeat", part, min: least, max: most };
    }
  }
}
