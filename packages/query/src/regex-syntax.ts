/**
 * What a regular expression says, as far as it tells which texts a match holds. The grammar is that of ECMAScript 2024
 * without the flags `u` and `v`, Annex B included, and with the modifiers of 2025; a character is a UTF-16 unit.
 */
export type RegexNode =
  | RegexCharacter
  /** Any text, the empty one included: what is not told apart. */
  | { readonly kind: "any" }
  /** No text at all: it may say something of the place, and nothing of what is beside it. */
  | { readonly kind: "nothing" }
  /** No text of its own, but what `part` matches stands there too, in front or behind. */
  | { readonly kind: "look"; readonly part: RegexNode }
  /** One behind the other. */
  | { readonly kind: "sequence"; readonly parts: readonly RegexNode[] }
  /** One of them. */
  | { readonly kind: "choice"; readonly parts: readonly RegexNode[] }
  | RegexRepeat;

/** One unit that stands for itself. With `anyCase` so does the other case of it, if it is an ASCII letter. */
interface RegexCharacter {
  readonly kind: "character";
  readonly unit: string;
  readonly anyCase: boolean;
}

export interface RegexRepeat {
  readonly kind: "repeat";
  readonly part: RegexNode;
  readonly min: number;
  /** Infinity for no bound. */
  readonly max: number;
}

export const ANY_TEXT: RegexNode = { kind: "any" };
export const NO_TEXT: RegexNode = { kind: "nothing" };

/**
 * The node of a unit. Without the flag `u` no other unit is the same as an ASCII letter in any case (ECMAScript 22.2.2.7.3,
 * Canonicalize: never from outside ASCII into it), but the cases of other letters are a table of their own.
 */
export function characterNode(unit: string, ignoreCase: boolean): RegexNode {
  if (!ignoreCase) {
    return { kind: "character", unit, anyCase: false };
  }
  return unit < "\u0080" ? { kind: "character", unit, anyCase: /[A-Za-z]/.test(unit) } : ANY_TEXT;
}
