import { err, ok } from "@sluice/quantity";
import type { Result } from "@sluice/quantity";

import { MAX_CURSOR_BYTES } from "../cursor.ts";
import type { CursorInvalid } from "../source.ts";

/** Where a stream stands in a journal; an entry is named by journald's own cursor. */
export type JournalPosition =
  /** In front of the first entry of a journal that had none. */
  | { readonly kind: "beginning" }
  /** In front of an entry. */
  | { readonly kind: "at"; readonly entry: string }
  | { readonly kind: "after"; readonly entry: string };

/** `J1 beginning`, `J1 at s=...;i=...`, `J1 after s=...;i=...`: about 150 bytes. */
const POSITION = /^J1 (?:(beginning)|(at|after) ([\x21-\x7e]+))$/;

/** Whether a text can be journald's cursor of an entry: printable, and nothing that ends a word. */
export function isEntryCursor(text: string): boolean {
  return /^[\x21-\x7e]{1,1024}$/.test(text);
}

export function encodePosition(position: JournalPosition): Uint8Array {
  return Buffer.from(
    position.kind === "beginning" ? "J1 beginning" : `J1 ${position.kind} ${position.entry}`,
  );
}

export function decodePosition(cursor: Uint8Array): Result<JournalPosition, CursorInvalid> {
  const text =
    cursor.length > MAX_CURSOR_BYTES
      ? ""
      : Buffer.from(cursor.buffer, cursor.byteOffset, cursor.length).toString("latin1");
  const [match, beginning, kind, entry] = POSITION.exec(text) ?? [];
  if (match === undefined) {
    return err({ code: "cursor-invalid", detail: "not a journal cursor" });
  }
  return ok(
    beginning === undefined
      ? { kind: kind as "at" | "after", entry: entry as string }
      : { kind: "beginning" },
  );
}

/** What a cursor of journald tells of its entry's place. */
interface EntryPlace {
  /** The writer whose numbering it is: a journal's files share it, other hosts' have their own. */
  readonly numbering: string;
  readonly number: bigint;
  readonly timeUs: bigint;
}

/** The numbers in a cursor are hexadecimal (sd_journal_get_cursor). Undefined for any other text. */
function placeOf(entry: string): EntryPlace | undefined {
  const numbering = /(?:^|;)s=([0-9a-f]{32})(?:;|$)/.exec(entry)?.[1];
  const number = /(?:^|;)i=([0-9a-f]{1,16})(?:;|$)/.exec(entry)?.[1];
  const time = /(?:^|;)t=([0-9a-f]{1,16})(?:;|$)/.exec(entry)?.[1];
  return numbering === undefined || number === undefined || time === undefined
    ? undefined
    : { numbering, number: BigInt(`0x${number}`), timeUs: BigInt(`0x${time}`) };
}

/** How many numbers of the same numbering lie between two entries; undefined where they share none. */
export function numbersBetween(earlier: string, later: string): bigint | undefined {
  const a = placeOf(earlier);
  const b = placeOf(later);
  return a === undefined || b === undefined || a.numbering !== b.numbering
    ? undefined
    : b.number - a.number - 1n;
}

/** Whether an entry comes behind another, by number where they share a numbering, else by time. */
export function isBehind(entry: string, other: string): boolean {
  const a = placeOf(entry);
  const b = placeOf(other);
  if (a === undefined || b === undefined) {
    return a !== undefined;
  }
  return a.numbering === b.numbering ? a.number > b.number : a.timeUs > b.timeUs;
}

export function sharesNumbering(entry: string, other: string): boolean {
  return numbersBetween(entry, other) !== undefined;
}

/** When journald received the entry, in microseconds since the epoch. */
export function entryTimeUs(entry: string): bigint | undefined {
  return placeOf(entry)?.timeUs;
}
