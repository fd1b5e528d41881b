import { ANY_TEXT, characterNode } from "./regex-syntax.ts";
import type { RegexNode } from "./regex-syntax.ts";

/** Of a larger class nothing is told apart. */
const MAX_UNITS = 8;

/** What stands for itself behind a backslash, the hyphen apart, which would then be taken for that of a range. */
const PUNCTUATION = /[!-,./:-@[-`{-~]/;

/** Reads the class that begins at a place: a choice of its units where they are a few of ASCII, else `any`. */
export function readClass(
  source: string,
  open: number,
  ignoreCase: boolean,
): { readonly node: RegexNode; readonly end: number } {
  const members: (string | undefined)[] = [];
  let at = open + 1;
  const isNegated = source[at] === "^";
  for (; at < source.length && source[at] !== "]"; at++) {
    if (source[at] === "\\") {
      at++;
      const escaped = source.charAt(at);
      members.push(PUNCTUATION.test(escaped) ? escaped : undefined);
    } else {
      members.push(source.charAt(at));
    }
  }
  const units = isNegated ? undefined : unitsOf(members);
  const end = at + 1;
  if (units === undefined || units.length === 0) {
    return { node: ANY_TEXT, end };
  }
  return {
    node: { kind: "choice", parts: units.map((unit) => characterNode(unit, ignoreCase)) },
    end,
  };
}

/** `members` are units in their order, undefined for what is none. Undefined where there are too many or other ones. */
function unitsOf(members: readonly (string | undefined)[]): readonly string[] | undefined {
  const units = new Set<string>();
  for (let i = 0; i < members.length; i++) {
    const first = members[i];
    const isRange = members[i + 1] === "-" && i + 2 < members.length;
    const last = isRange ? members[i + 2] : first;
    if (first === undefined || last === undefined || last > "\u007f") {
      return undefined;
    }
    for (let code = first.charCodeAt(0); code <= last.charCodeAt(0); code++) {
      units.add(String.fromCharCode(code));
      if (units.size > MAX_UNITS) {
        return undefined;
      }
    }
    i += isRange ? 2 : 0;
  }
  return Array.from(units);
}
