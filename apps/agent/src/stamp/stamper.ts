/* oxlint-disable typescript/no-non-null-assertion -- hot path: the bytes read lie inside bounds that were checked */
import { syslogSeverity } from "@sluice/quantity";
import { DAY_US, MINUTE_US, isDigit, twoDigits } from "./calendar.ts";
import { EpochText, readEpoch } from "./epoch.ts";
import { JSON_FIELD, JsonFields } from "./json-time.ts";
import { KIND, LETTER, MinuteText } from "./minute-text.ts";
import type { Letter } from "./minute-text.ts";
import { findCommonLog } from "./apache-time.ts";
import { MAX_AHEAD_US, inferYear } from "./rfc3164.ts";
import { ZoneText, readZone } from "./rfc3339.ts";
import { fieldSeverity, findSeverity, letterSeverity } from "./severity.ts";
import { readMinuteText } from "./time-form.ts";
import { viewOf } from "./view.ts";
import type { ZoneOption } from "./zone.ts";
import { Zone } from "./zone.ts";

/** How a stamper reads. */
export interface StamperOptions {
  /** The zone of times that name none; the host's own by default. */
  readonly zone?: ZoneOption;
}

/** Where a time is looked for behind one word that is no time (a container's or a file's name). */
const FIRST_WORD_LIMIT = 64;
/** Spaces, brackets and such that may precede a time. */
const LEAD_LIMIT = 16;
const KEY_CAPACITY = 128;
const LONGEST_FRACTION = 9;
/** Microseconds of the last digit of a fraction, by its digits. */
const FRACTION_UNIT_US = Uint32Array.of(1_000_000, 100_000, 10_000, 1000, 100, 10, 1);
const ANY_TIME = Number.POSITIVE_INFINITY;
const LOGCAT_IDS = 24;

const encoder = new TextEncoder();
const TIME_KEYS: readonly Uint8Array[] = ["time=", "ts=", "t=", "timestamp="].map((key) =>
  encoder.encode(key),
);

/**
 * Reads event time and severity off the lines of one stream. What it says of a line depends on that
 * line and its reading time alone; what it remembers of the last line (its bytes down to the minute)
 * only makes the next one cheaper. Results are fields, so that a line costs no allocation.
 */
export class Stamper {
  /** Microseconds since the epoch: what the line says, or the time it was read. A safe integer. */
  timeUs: number = Number.NaN;
  /** OpenTelemetry severity number 1-24, 0 where the line names none. */
  severity = 0;
  /** Whether `timeUs` was read off the line. */
  timed = false;

  readonly #zone: Zone;
  readonly #zoneText = new ZoneText();
  readonly #epoch = new EpochText();
  readonly #json = new JsonFields();
  readonly #text = new MinuteText();

  // The last minute: the bytes it was read from, from the line's start (behind a priority), and
  // the reading times for which those bytes mean it.
  readonly #key: Uint8Array = new Uint8Array(KEY_CAPACITY);
  readonly #keyView = new DataView(this.#key.buffer);
  #keyLength = 0;
  #minuteUs: number = Number.NaN;
  #minuteOffsetUs: number = Number.NaN;
  #readFromUs: number = -ANY_TIME;
  #readBeforeUs: number = ANY_TIME;

  /** Throws a RangeError for a zone that is no zone. */
  constructor({ zone = "local" }: StamperOptions = {}) {
    this.#zone = new Zone(zone);
  }

  /**
   * Stamps the line in `buffer[start, end)`, without its line feed, read at `readAtUs`
   * (microseconds since the epoch). Leaves its results in {@link timeUs}, {@link severity} and
   * {@link timed}.
   */
  stamp(buffer: Uint8Array, start: number, end: number, readAtUs: number): void {
    const body = this.#readPriority(buffer, start, end);
    let searchFrom = this.#readLineTime(buffer, body, end, readAtUs);
    if (searchFrom >= 0) {
      this.timed = true;
      if (this.severity !== 0) return;
      if (this.#text.letter !== LETTER.none) {
        this.severity = this.#columnSeverity(buffer, body, searchFrom, end);
        if (this.severity !== 0) return;
      }
    } else {
      this.timed = false;
      this.timeUs = readAtUs;
      searchFrom = body;
      if (body < end && buffer[body] === 0x7b) this.#readJson(buffer, body, end, readAtUs);
      else if (this.severity === 0) this.severity = briefSeverity(buffer, body, end);
      if (this.severity !== 0) return;
    }
    this.severity = findSeverity(buffer, body, searchFrom, end);
  }

  /**
   * Reads what is said to be a time, in `buffer[start, end)`: any form that a line has, or a number
   * since the epoch. Sets {@link timeUs} and {@link timed}, and returns the latter.
   */
  stampTime(buffer: Uint8Array, start: number, end: number, readAtUs: number): boolean {
    this.timed =
      this.#readQuoted(buffer, start, end, readAtUs) || this.#readNumber(buffer, start, end);
    if (!this.timed) this.timeUs = readAtUs;
    return this.timed;
  }

  /** Takes a `<PRI>` (0-191) and an RFC 5424 version off the line's start; returns what follows. */
  #readPriority(buffer: Uint8Array, start: number, end: number): number {
    this.severity = 0;
    if (start >= end || buffer[start] !== 0x3c) return start;
    let at = start + 1;
    let priority = 0;
    while (at < end && at - start <= 3 && isDigit(buffer[at]!)) {
      priority = priority * 10 + buffer[at]! - 0x30;
      at += 1;
    }
    if (at === start + 1 || at >= end || buffer[at] !== 0x3e || priority > 191) return start;
    // RFC 5424, 6.2.1: eight times the facility, and the severity.
    this.severity = syslogSeverity(priority & 7);
    at += 1;
    return at + 1 < end && buffer[at] === 0x31 && buffer[at + 1] === 0x20 ? at + 2 : at;
  }

  /** Reads the time of a line that starts at `at`; returns where its text ends, or -1. */
  #readLineTime(buffer: Uint8Array, at: number, end: number, readAtUs: number): number {
    if (!this.#repeatsMinute(buffer, at, end, readAtUs)) {
      if (at < end && buffer[at] === 0x7b) return -1;
      const text = skipLead(buffer, at, end);
      const found = this.#readTime(buffer, at, text, end, readAtUs);
      if (found >= 0) return found;
      return this.#readLaterTime(buffer, at, text, end, readAtUs);
    }
    return this.#readSeconds(buffer, at + this.#keyLength, end, readAtUs);
  }

  /** Reads a time that stands behind something else: an access log's, or the second word's. */
  #readLaterTime(
    buffer: Uint8Array,
    at: number,
    text: number,
    end: number,
    readAtUs: number,
  ): number {
    const commonLog = findCommonLog(buffer, text, end);
    if (commonLog >= 0) return this.#readTime(buffer, at, commonLog, end, readAtUs);
    const second = secondWord(buffer, text, end);
    // Only the forms that write a whole date are unlikely enough to be something else there, and
    // what lies ahead is what the line speaks of ("expires 2027-01-01 00:00:00"), not its time.
    if (second < 0 || end - second < 19) return -1;
    if (buffer[second + 4] !== 0x2d && buffer[second + 4] !== 0x2f) return -1;
    const found = this.#readTime(buffer, at, second, end, readAtUs);
    if (found < 0 || this.timeUs - readAtUs > MAX_AHEAD_US) {
      this.#keyLength = 0;
      return -1;
    }
    this.#readFromUs = this.timeUs + MINUTE_US + 1_000_000 - MAX_AHEAD_US;
    return found;
  }

  /** Whether the line starts with the same bytes, down to the minute, as the last one that was read. */
  #repeatsMinute(buffer: Uint8Array, at: number, end: number, readAtUs: number): boolean {
    const length = this.#keyLength;
    if (length === 0 || end - at < length + 2) return false;
    const view = viewOf(buffer);
    const key = this.#keyView;
    // Every form has more than four bytes; the last four may overlap those before.
    for (let i = 0; i < length - 4; i += 4) {
      if (view.getInt32(at + i) !== key.getInt32(i)) return false;
    }
    if (view.getInt32(at + length - 4) !== key.getInt32(length - 4)) return false;
    return readAtUs >= this.#readFromUs && readAtUs < this.#readBeforeUs;
  }

  /**
   * Reads a time of any form whose text starts at `text`, in a line (or string) that starts at `at`.
   * Returns where it ends, or -1.
   */
  #readTime(buffer: Uint8Array, at: number, text: number, end: number, readAtUs: number): number {
    this.#keyLength = 0;
    const minute = this.#text;
    const length = readMinuteText(buffer, text, end, minute);
    if (length === 0) {
      minute.letter = LETTER.none;
      if (!readEpoch(buffer, text, end, true, this.#epoch)) return -1;
      this.timeUs = this.#epoch.timeUs;
      return this.#epoch.end;
    }
    this.#readFromUs = -ANY_TIME;
    this.#readBeforeUs = ANY_TIME;
    this.#minuteOffsetUs = Number.NaN;
    this.#minuteUs = minute.wallUs;
    if (minute.kind === KIND.yearless && !this.#inferYear(readAtUs + MAX_AHEAD_US)) return -1;
    const found = this.#readSeconds(buffer, text + length, end, readAtUs);
    const keyLength = text + length - at;
    // A year behind the seconds is not among the bytes that the next line is compared by.
    if (found >= 0 && minute.kind !== KIND.trailingYear && keyLength <= KEY_CAPACITY) {
      for (let i = 0; i < keyLength; i += 1) this.#key[i] = buffer[at + i]!;
      this.#keyLength = keyLength;
    }
    return found;
  }

  /** Gives the minute its year, and says for which reading times that year needs no second look. */
  #inferYear(latestUs: number): boolean {
    this.#minuteUs = inferYear(this.#text, latestUs, this.#zone);
    if (this.#minuteUs < 0) return false;
    this.#minuteOffsetUs = this.#zone.offsetUs(this.#minuteUs);
    const minuteUs = this.#minuteUs - this.#minuteOffsetUs;
    // The same date of the next year is at least 365 days away; a day less allows for its clocks.
    this.#readFromUs = minuteUs + MINUTE_US + 1_000_000 - MAX_AHEAD_US;
    this.#readBeforeUs = minuteUs + 364 * DAY_US - MAX_AHEAD_US;
    return true;
  }

  /** Reads seconds, fraction and zone at `at` and sets the time; returns where they end, or -1. */
  #readSeconds(buffer: Uint8Array, at: number, end: number, readAtUs: number): number {
    const seconds = twoDigits(buffer, at);
    // RFC 3339 allows a leap second, :60; the epoch has none, so it is the second after :59.
    if (seconds < 0 || seconds > 60) return -1;
    let next = at + 2;
    let fractionUs = 0;
    if (next + 1 < end && (buffer[next] === 0x2e || buffer[next] === 0x2c)) {
      const first = next + 1;
      let i = first;
      while (i < end && isDigit(buffer[i]!)) {
        // The seventh digit and what follows stand for less than a microsecond.
        if (i - first < 6) fractionUs = fractionUs * 10 + buffer[i]! - 0x30;
        i += 1;
      }
      const digits = i - first;
      if (digits > LONGEST_FRACTION) return -1;
      if (digits < 6) fractionUs *= FRACTION_UNIT_US[digits]!;
      if (i > first) next = i;
    }
    if (next < end && isDigit(buffer[next]!)) return -1;
    const wallUs = this.#minuteUs + seconds * 1_000_000 + fractionUs;
    const kind = this.#text.kind;
    if (kind === KIND.zoned) {
      const zone = this.#zoneText;
      if (!readZone(buffer, next, end, zone)) return -1;
      if (zone.length > 0) {
        this.timeUs = wallUs - zone.offsetUs;
        return next + zone.length;
      }
    }
    if (Number.isNaN(this.#minuteOffsetUs)) {
      this.#minuteOffsetUs = this.#zone.offsetUs(this.#minuteUs);
    }
    this.timeUs = wallUs - this.#minuteOffsetUs;
    if (kind === KIND.trailingYear) return next + 5;
    if (kind === KIND.yearless && this.timeUs - readAtUs > MAX_AHEAD_US) {
      // Only its seconds put it too far ahead: the minute alone settled on a year too late.
      if (!this.#inferYear(readAtUs + MAX_AHEAD_US - MINUTE_US)) return -1;
      this.timeUs = this.#minuteUs - this.#minuteOffsetUs + seconds * 1_000_000 + fractionUs;
    }
    return next;
  }

  /** Stamps a JSON line from its top-level fields. */
  #readJson(buffer: Uint8Array, at: number, end: number, readAtUs: number): void {
    const fields = this.#json;
    fields.open(at + 1);
    while ((!this.timed || this.severity === 0) && fields.next(buffer, end)) {
      const { valueStart, valueEnd } = fields;
      if (fields.field === JSON_FIELD.level) {
        if (this.severity === 0) this.severity = fieldSeverity(buffer, valueStart, valueEnd);
      } else if (!this.timed) {
        this.timed =
          (fields.quoted && this.#readQuoted(buffer, valueStart, valueEnd, readAtUs)) ||
          this.#readNumber(buffer, valueStart, valueEnd);
        if (!this.timed) this.timeUs = readAtUs;
      }
    }
  }

  #readQuoted(buffer: Uint8Array, at: number, end: number, readAtUs: number): boolean {
    if (this.#repeatsMinute(buffer, at, end, readAtUs)) {
      return this.#readSeconds(buffer, at + this.#keyLength, end, readAtUs) >= 0;
    }
    return this.#readTime(buffer, at, skipLead(buffer, at, end), end, readAtUs) >= 0;
  }

  #readNumber(buffer: Uint8Array, at: number, end: number): boolean {
    const read = readEpoch(buffer, at, end, false, this.#epoch) && this.#epoch.end === end;
    if (read) this.timeUs = this.#epoch.timeUs;
    return read;
  }

  /** The severity letter of a logcat line (behind two ids) or of a glog line (before its date). */
  #columnSeverity(buffer: Uint8Array, body: number, from: number, end: number): number {
    const letter: Letter = this.#text.letter;
    if (letter === LETTER.glog) return letterSeverity(buffer[skipLead(buffer, body, end)]!);
    const last = Math.min(end - 1, from + LOGCAT_IDS);
    let at = from;
    while (at < last && (buffer[at] === 0x20 || isDigit(buffer[at]!))) at += 1;
    if (at >= end - 1 || (buffer[at + 1] !== 0x20 && buffer[at + 1] !== 0x2f)) return 0;
    return letterSeverity(buffer[at]!);
  }
}

/** Steps over what may precede a time: spaces, brackets, a dash, a logfmt key and its quote. */
function skipLead(buffer: Uint8Array, at: number, end: number): number {
  const last = Math.min(end - 1, at + LEAD_LIMIT);
  let i = at;
  while (i < last) {
    const byte = buffer[i]!;
    const dash = byte === 0x2d && buffer[i + 1] === 0x20;
    if (byte !== 0x20 && byte !== 0x09 && byte !== 0x5b && !dash) break;
    i += 1;
  }
  if (i >= last || buffer[i] !== 0x74) return i;
  for (const key of TIME_KEYS) {
    let k = 1;
    while (k < key.length && i + k < end && buffer[i + k] === key[k]) k += 1;
    if (k === key.length) return i + k < end && buffer[i + k] === 0x22 ? i + k + 1 : i + k;
  }
  return i;
}

/** Where the second word starts, a column bar before it stepped over, or -1. */
function secondWord(buffer: Uint8Array, at: number, end: number): number {
  const last = Math.min(end, at + FIRST_WORD_LIMIT);
  let i = at;
  while (i < last && buffer[i] !== 0x20) i += 1;
  while (i < last && (buffer[i] === 0x20 || buffer[i] === 0x7c)) i += 1;
  return i < last && isDigit(buffer[i]!) ? i : -1;
}

/** The severity of logcat's brief form, `E/Tag( 123): message`, or 0. */
function briefSeverity(buffer: Uint8Array, at: number, end: number): number {
  if (end - at < 6 || buffer[at + 1] !== 0x2f) return 0;
  const last = Math.min(end, at + FIRST_WORD_LIMIT);
  let i = at + 2;
  while (i < last && buffer[i] !== 0x28) i += 1;
  i += 1;
  while (i < last && (buffer[i] === 0x20 || isDigit(buffer[i]!))) i += 1;
  return i < last && buffer[i] === 0x29 ? letterSeverity(buffer[at]!) : 0;
}
