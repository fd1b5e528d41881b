import { isUtf8 } from "node:buffer";

import type { LogEntry } from "../source.ts";
import type { ExportEntry, ExportField } from "./export-parser.ts";
import { encodePosition, isEntryCursor } from "./journal-position.ts";

/** What becomes attributes where the configuration does not say: where an entry comes from. */
export const DEFAULT_FIELDS: readonly string[] = [
  "_SYSTEMD_UNIT",
  "_SYSTEMD_USER_UNIT",
  "UNIT",
  "SYSLOG_IDENTIFIER",
  "_COMM",
  "_PID",
  "_UID",
  "_BOOT_ID",
  "_TRANSPORT",
  "CONTAINER_NAME",
  "MESSAGE_ID",
];

/** A journal by directory may hold those of other hosts and of other users. */
export const DEFAULT_DIRECTORY_FIELDS: readonly string[] = [...DEFAULT_FIELDS, "_HOSTNAME"];

/** The same as the protocol's limit of a record. */
const MESSAGE_BYTES = 256 * 1024;
/** One attribute, and all of an entry's together: the protocol takes 64 KiB, and rules add to them. */
const ATTRIBUTE_BYTES = 4 * 1024;
const ATTRIBUTES_BYTES = 32 * 1024;
const CURSOR_BYTES = 1024;
const NUMBER_BYTES = 32;

/** A sender's clock this far from journald's is not to be trusted. */
const MOST_SKEW_US = 3_600_000_000;

export interface JournalEntry extends LogEntry {
  /** journald's own cursor of the entry. */
  readonly journalCursor: string;
}

/** The fields that an entry is made of, with the bytes to keep of each. */
export function entryLimits(attributeNames: readonly string[]): ReadonlyMap<string, number> {
  return new Map([
    ...attributeNames.map((name): [string, number] => [name, ATTRIBUTE_BYTES]),
    ["PRIORITY", NUMBER_BYTES],
    ["MESSAGE", MESSAGE_BYTES],
    ["__CURSOR", CURSOR_BYTES],
    ["__REALTIME_TIMESTAMP", NUMBER_BYTES],
    ["_SOURCE_REALTIME_TIMESTAMP", NUMBER_BYTES],
  ]);
}

/** The same as `journalctl --output-fields` takes them; an entry's own addresses are always there. */
export function printedFields(attributeNames: readonly string[]): readonly string[] {
  return [...entryLimits(attributeNames).keys()].filter((name) => !name.startsWith("__"));
}

/** Undefined where what every entry has is missing. */
export function toJournalEntry(
  fields: ExportEntry,
  attributeNames: readonly string[],
): JournalEntry | undefined {
  const journalCursor = fields.get("__CURSOR")?.bytes.toString("latin1");
  const receivedUs = microseconds(fields.get("__REALTIME_TIMESTAMP"));
  if (journalCursor === undefined || !isEntryCursor(journalCursor) || receivedUs === undefined) {
    return undefined;
  }
  const sentUs = microseconds(fields.get("_SOURCE_REALTIME_TIMESTAMP"));
  const isSane = sentUs !== undefined && Math.abs(sentUs - receivedUs) <= MOST_SKEW_US;
  const message = fields.get("MESSAGE");
  const body = message?.bytes ?? new Uint8Array(0);
  return {
    journalCursor,
    cursor: encodePosition({ kind: "after", entry: journalCursor }),
    body,
    ...(message !== undefined &&
      message.originalBytes > body.length && { originalBytes: message.originalBytes }),
    timeUs: isSane ? sentUs : receivedUs,
    priority: priority(fields.get("PRIORITY")),
    attributes: attributes(fields, attributeNames),
  };
}

function attributes(fields: ExportEntry, names: readonly string[]): Record<string, string> {
  const values: Record<string, string> = {};
  let bytes = 0;
  for (const name of names) {
    const field = fields.get(name);
    if (field === undefined) {
      continue;
    }
    const text = toText(field);
    bytes += Buffer.byteLength(text);
    if (bytes > ATTRIBUTES_BYTES) {
      break;
    }
    values[name] = text;
  }
  return values;
}

/** What is not UTF-8 is escaped byte by byte, as an attribute is text. */
function toText({ bytes, originalBytes }: ExportField): string {
  const isCut = originalBytes > bytes.length;
  const whole = isCut ? bytes.subarray(0, characterEnd(bytes)) : bytes;
  return isUtf8(whole)
    ? whole.toString()
    : whole
        .toString("latin1")
        .replace(
          /[^\x20-\x7e]/g,
          (byte) => `\\x${byte.charCodeAt(0).toString(16).padStart(2, "0")}`,
        );
}

/** Where the last character that may be cut off begins. */
function characterEnd(bytes: Buffer): number {
  let at = bytes.length - 1;
  while (at > 0 && at > bytes.length - 4 && ((bytes[at] as number) & 0xc0) === 0x80) {
    at -= 1;
  }
  return at;
}

function microseconds(field: ExportField | undefined): number | undefined {
  const text = field?.bytes.toString("latin1") ?? "";
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Infinity;
  return Number.isSafeInteger(value) ? value : undefined;
}

function priority(field: ExportField | undefined): number | undefined {
  const text = field?.bytes.toString("latin1") ?? "";
  return /^[0-7]$/.test(text) ? Number(text) : undefined;
}
