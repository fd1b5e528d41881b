/**
 * What a terminal must not be given: C0 but tab, DEL, C1, and the controls that reorder text
 * (Unicode's Bidi_Control property). CVE-2021-42574 shows what the latter are good for.
 */
const UNSAFE_CHARACTERS: RegExp =
  // oxlint-disable-next-line no-control-regex -- control characters are what it is for
  /[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

const SHORT: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r" };

/** Replaces what a terminal must not be given by a visible form: `\n`, `\x1b`, `\u202e`. `mark` may colour it. */
export function escapeText(text: string, mark: (escape: string) => string = identity): string {
  return text.replace(UNSAFE_CHARACTERS, (character) =>
    mark(SHORT[character] ?? escapeCode(character)),
  );
}

/** The same for text of several lines, which stay lines. */
export function escapeLines(text: string): string {
  return text.replace(UNSAFE_CHARACTERS, (character) =>
    character === "\n" ? character : (SHORT[character] ?? escapeCode(character)),
  );
}

/** Escapes JSON for a terminal. What a terminal must not be given stands only inside strings: the result is the same document. */
export function escapeJson(text: string): string {
  return text.replace(UNSAFE_CHARACTERS, (character) =>
    character === "\n" ? character : unicodeEscape(character),
  );
}

/** A value as indented JSON with a newline, for a stream that is a terminal or is none. */
export function formatJson(value: unknown, isTerminal: boolean): string {
  const text = `${JSON.stringify(value, undefined, 2)}\n`;
  return isTerminal ? escapeJson(text) : text;
}

function unicodeEscape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

function escapeCode(character: string): string {
  const code = character.charCodeAt(0);
  return code < 0x100
    ? `\\x${code.toString(16).padStart(2, "0")}`
    : `\\u${code.toString(16).padStart(4, "0")}`;
}

function identity(escape: string): string {
  return escape;
}
