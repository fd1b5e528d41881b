/* oxlint-disable typescript/no-non-null-assertion -- hot path: the bytes read lie inside bounds that were checked */
import { syslogSeverity } from "@sluice/quantity";
import { viewOf } from "./view.ts";

/**
 * How many bytes behind the time, or of a line without one, are searched for a word of severity. Its
 * first four letters must lie inside.
 */
export const SEVERITY_WINDOW = 96;

const WORDS: readonly (readonly [string, number])[] = [
  ["FATAL", 21],
  ["PANIC", 21],
  ["EMERG", 21],
  ["EMERGENCY", 21],
  ["ALERT", 19],
  ["CRIT", 18],
  ["CRITICAL", 18],
  ["ERROR", 17],
  ["ERR", 17],
  ["WARN", 13],
  ["WARNING", 13],
  ["NOTICE", 10],
  ["INFO", 9],
  ["DEBUG", 5],
  ["TRACE", 1],
];

interface Word {
  readonly letters: Uint8Array;
  readonly severity: number;
}

const encoder = new TextEncoder();
const WORDS_BY_INITIAL: readonly (readonly Word[])[] = Array.from({ length: 26 }, (_, initial) =>
  WORDS.filter(([word]) => word.charCodeAt(0) - 0x41 === initial).map(([word, severity]) => ({
    letters: encoder.encode(word),
    severity,
  })),
);
const LONGEST_WORD = Math.max(...WORDS.map(([word]) => word.length));

/** Bytes that a word of severity may start with. */
const INITIAL = Uint8Array.from({ length: 256 }, (_, byte) =>
  (WORDS_BY_INITIAL[(byte | 0x20) - 0x61] ?? []).length > 0 && byte > 0x40 ? 1 : 0,
);

/** Letters, digits, `_` and every byte of a non-ASCII character are parts of words. */
const WORD_BYTE = Uint8Array.from({ length: 256 }, (_, byte) => {
  const folded = byte | 0x20;
  const letter = byte < 0x80 && folded >= 0x61 && folded <= 0x7a;
  return letter || (byte >= 0x30 && byte <= 0x39) || byte === 0x5f || byte >= 0x80 ? 1 : 0;
});

/**
 * What two neighbouring bytes can be of a word's first four letters, so that a line is searched by
 * pairs: the high byte holds a bit per stem whose start (delimiter and first letter, or first and
 * second) the pair can be, the low byte a bit per stem whose continuation it can be. A word is
 * possible only where a pair's starts and the next pair's continuations meet, which is as good as
 * never by chance, so the search has no branch that a processor could mispredict. Indexed by the
 * pair as a little-endian number with the eighth bits off: bytes of words in other alphabets may
 * then look like a candidate, which the exact check refuses.
 */
const PAIRS: Uint16Array = pairTable([
  ["FATA", "PANI"],
  ["EMER", "ALER"],
  ["ERRO", "ERR"],
  ["CRIT", "TRAC"],
  ["WARN"],
  ["NOTI"],
  ["INFO"],
  ["DEBU"],
]);

function pairTable(stems: readonly (readonly string[])[]): Uint16Array {
  const table = new Uint16Array(1 << 15);
  const bytes = Array.from({ length: 128 }, (_, byte) => byte);
  const delimiters = bytes.filter((byte) => WORD_BYTE[byte] === 0);
  const cases = (letter: string | undefined): readonly number[] =>
    letter === undefined ? delimiters : [letter.charCodeAt(0), letter.toLowerCase().charCodeAt(0)];
  const mark = (firsts: readonly number[], seconds: readonly number[], bits: number): void => {
    for (const first of firsts) {
      for (const second of seconds) table[first | (second << 8)]! |= bits;
    }
  };
  for (const [bit, group] of stems.entries()) {
    for (const [first, second, third, fourth] of group.map((stem) => stem.split(""))) {
      mark(delimiters, cases(first), 0x100 << bit);
      mark(cases(first), cases(second), 0x100 << bit);
      mark(cases(second), cases(third), 1 << bit);
      mark(cases(third), cases(fourth), 1 << bit);
    }
  }
  return table;
}

/** The severity that one letter stands for in logcat and glog, or 0. */
export function letterSeverity(letter: number): number {
  switch (letter) {
    case 0x46: // F
    case 0x41: // A, logcat's assert
      return 21;
    case 0x45: // E
      return 17;
    case 0x57: // W
      return 13;
    case 0x49: // I
      return 9;
    case 0x44: // D
      return 5;
    case 0x56: // V
      return 1;
    default:
      return 0;
  }
}

/**
 * The severity of a field that holds nothing else: one of the words, or a number: below 8 syslog's
 * (GELF), else in the steps of ten from 10, trace, to 60, fatal (bunyan, pino). 0 where it is neither.
 */
export function fieldSeverity(buffer: Uint8Array, start: number, end: number): number {
  const length = end - start;
  if (length < 1 || length > LONGEST_WORD) return 0;
  if (WORD_BYTE[buffer[start]!] === 1 && buffer[start]! >= 0x41) {
    return wordSeverity(buffer, start, length);
  }
  let value = 0;
  for (let i = start; i < end; i += 1) {
    const digit = buffer[i]! - 0x30;
    if (digit < 0 || digit > 9) return 0;
    value = value * 10 + digit;
  }
  if (value < 8) return syslogSeverity(value);
  if (value < 10) return 0;
  return value >= 60 ? 21 : Math.floor(value / 10) * 4 - 3;
}

/**
 * The severity of the first word of severity that starts within {@link SEVERITY_WINDOW} of
 * `from`, or 0. It stands alone, in upper, lower or capitalised case: `errors`, `information`, `error=0`,
 * `/var/log/error.log` and `"error":` are none, `level=error` is one.
 */
export function findSeverity(
  buffer: Uint8Array,
  lineStart: number,
  from: number,
  end: number,
): number {
  const view = viewOf(buffer);
  const last = Math.min(end - 3, from + SEVERITY_WINDOW);
  let i = nextCandidate(view, from, last);
  while (i < last) {
    // The candidate starts in the pair before, or in the first pair of this group of four.
    const severity = severityIn(buffer, lineStart, Math.max(from, i - 2), i + 2, end);
    if (severity !== 0) return severity;
    i = nextCandidate(view, i + 2, last);
  }
  if (last < end - 3) return 0;
  // The line's last bytes fill no group of four; a word may start in them or just before.
  return severityIn(buffer, lineStart, Math.max(from, i - 2), end, end);
}

/**
 * The first group of four bytes from `from` on with a pair that may continue a word which the pair
 * before it, there or in the group before, may start. Where there is none, the first byte behind
 * the last whole group.
 */
function nextCandidate(view: DataView, from: number, last: number): number {
  let starts = 0;
  let i = from;
  while (i < last) {
    const bytes = view.getUint32(i, true);
    const first = PAIRS[bytes & 0x7f7f]!;
    const second = PAIRS[(bytes >>> 16) & 0x7f7f]!;
    if (((starts & first) | ((first >>> 8) & second)) !== 0) break;
    starts = second >>> 8;
    i += 4;
  }
  return i;
}

/** The severity of the first word of severity that starts in [from, to), or 0. */
function severityIn(
  buffer: Uint8Array,
  lineStart: number,
  from: number,
  to: number,
  end: number,
): number {
  for (let at = from; at < to; at += 1) {
    if (INITIAL[buffer[at]!] === 0) continue;
    const severity = severityAt(buffer, lineStart, at, end);
    if (severity !== 0) return severity;
  }
  return 0;
}

/** The severity of the word that starts at `at`, where it stands alone there, else 0. */
function severityAt(buffer: Uint8Array, lineStart: number, at: number, end: number): number {
  if (at > lineStart && !opensWord(buffer, lineStart, at)) return 0;
  let wordEnd = at;
  while (wordEnd < end && wordEnd - at <= LONGEST_WORD && WORD_BYTE[buffer[wordEnd]!] === 1) {
    wordEnd += 1;
  }
  return closesWord(buffer, wordEnd, end) ? wordSeverity(buffer, at, wordEnd - at) : 0;
}

function opensWord(buffer: Uint8Array, lineStart: number, at: number): boolean {
  let before = buffer[at - 1]!;
  if (WORD_BYTE[before] === 1) return false;
  let key = at - 1;
  if (before === 0x22 && key > lineStart && buffer[key - 1] === 0x3d) {
    key -= 1;
    before = 0x3d;
  }
  if (before === 0x3d) return endsLevelKey(buffer, lineStart, key);
  // Parts of paths, host names and options: /error, www.info, --debug.
  return before !== 0x2f && before !== 0x2e && before !== 0x2d;
}

/** Whether the key before the `=` at `equals` ends in level, lvl or severity. */
function endsLevelKey(buffer: Uint8Array, lineStart: number, equals: number): boolean {
  const room = equals - lineStart;
  const l = buffer[equals - 1]! | 0x20;
  if (room >= 8 && l === 0x79) {
    return (buffer[equals - 8]! | 0x20) === 0x73 && (buffer[equals - 2]! | 0x20) === 0x74;
  }
  if (room < 3 || l !== 0x6c) return false;
  const v = buffer[equals - 2]! | 0x20;
  if (v === 0x76) return (buffer[equals - 3]! | 0x20) === 0x6c;
  return room >= 5 && v === 0x65 && (buffer[equals - 5]! | 0x20) === 0x6c;
}

function closesWord(buffer: Uint8Array, at: number, end: number): boolean {
  if (at >= end) return true;
  const next = at + 1 < end ? buffer[at + 1]! : 0x20;
  switch (buffer[at]!) {
    case 0x3d: // error=
    case 0x2f: // error/
      return false;
    case 0x2d: // error-prone
    case 0x2e: // error.log
      return WORD_BYTE[next] === 0;
    case 0x22: // "error":
      return next !== 0x3a;
    default:
      return true;
  }
}

/** The severity of exactly these bytes, or 0. */
function wordSeverity(buffer: Uint8Array, at: number, length: number): number {
  const first = buffer[at]!;
  const words = WORDS_BY_INITIAL[(first | 0x20) - 0x61];
  if (words === undefined) return 0;
  const upper = (first & 0x20) === 0;
  const secondUpper = (buffer[at + 1]! & 0x20) === 0;
  if (secondUpper && !upper) return 0;
  const caseBit = secondUpper ? 0 : 0x20;
  for (const { letters, severity } of words) {
    if (letters.length !== length) continue;
    let i = 1;
    while (i < length && buffer[at + i] === (letters[i]! | caseBit)) i += 1;
    if (i === length && (first & 0xdf) === letters[0]) return severity;
  }
  return 0;
}
