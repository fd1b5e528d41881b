import type { RegexTerm } from "./ast.ts";
import { QueryFault } from "./query-error.ts";
import { matchAt } from "./quoted-text.ts";
import type { Lexed } from "./quoted-text.ts";

const TAIL = /[^\s()|]*/y;

/**
 * Reads `/re/` or `/re/i` at a place that holds a slash. As in JavaScript, a slash inside the pattern is written `\/`
 * except in a class. Throws a QueryFault with the engine's reason for an invalid pattern.
 */
export function readRegexTerm(text: string, at: number): Lexed<RegexTerm> {
  const close = findClose(text, at + 1);
  if (close === -1) {
    const path = /^\S*/.exec(text.slice(at))?.[0] ?? "";
    throw new QueryFault(
      "the regular expression is not closed",
      at,
      text.length - at,
      `put a / at its end; write "${path}" for the text`,
    );
  }
  const source = text.slice(at + 1, close);
  const flags = matchAt(TAIL, text, close + 1);
  const end = close + 1 + flags.length;
  if (flags !== "" && flags !== "i") {
    throw new QueryFault(
      `only the flag i may stand behind a regular expression, not ${flags}`,
      close + 1,
      flags.length,
      `write "${text.slice(at, end)}" for the text; a slash inside a pattern is written \\/`,
    );
  }
  if (source === "") {
    throw new QueryFault("the regular expression is empty", at, 2, "write * for everything");
  }
  const ignoreCase = flags === "i";
  const reason = whyInvalid(source, flags);
  if (reason !== undefined) {
    throw new QueryFault(
      `the regular expression is invalid: ${reason}`,
      at,
      end - at,
      "a character such as ( or [ that stands for itself is written \\( or \\[",
    );
  }
  return { value: { kind: "regex", source, ignoreCase }, end };
}

function findClose(text: string, from: number): number {
  let inClass = false;
  for (let i = from; i < text.length; i++) {
    switch (text[i]) {
      case "\\":
        i++;
        break;
      case "[":
        inClass = true;
        break;
      case "]":
        inClass = false;
        break;
      case "/":
        if (!inClass) {
          return i;
        }
        break;
      default:
    }
  }
  return -1;
}

function whyInvalid(source: string, flags: string): string | undefined {
  try {
    void new RegExp(source, flags);
    return undefined;
  } catch (error) {
    // "Invalid regular expression: /(/: Unterminated group"
    const message = error instanceof Error ? error.message : String(error);
    const reason = message.slice(message.lastIndexOf(": ") + 2);
    return reason.charAt(0).toLowerCase() + reason.slice(1);
  }
}
