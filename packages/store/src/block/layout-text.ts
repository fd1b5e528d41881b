/* oxlint-disable typescript/no-non-null-assertion -- hot loop: names and powers are indexed by fields in range */
import { MONTH_NAMES, WEEKDAY_NAMES, civilDay, weekday } from "./calendar.ts";
import {
  type LayoutPart,
  MAX_LAYOUT_BYTES,
  type TimeLayout,
  isFraction,
  layoutParts,
} from "./time-layout.ts";

const SECOND_US = 1_000_000;
const ZERO = 0x30;
const SPACE = 0x20;
/** Microseconds of the last of that many digits of a fraction. */
const DIGIT_US = Uint32Array.of(1_000_000, 100_000, 10_000, 1000, 100, 10, 1);
/** Digits of a fraction that a time has; those of nanoseconds come from elsewhere. */
const MICRO_DIGITS = 6;

/**
 * Renders times in one layout. What does not change from one time to the next is kept, as the times of a log are close
 * together: a new fraction costs its digits, a new second two more, a new minute the whole.
 */
export class LayoutText {
  /** The last rendering is `bytes[0 .. length)`. */
  readonly bytes: Uint8Array = new Uint8Array(MAX_LAYOUT_BYTES);
  length = 0;

  readonly #parts: readonly LayoutPart[];
  readonly #zoneSeconds: number;
  readonly #fractionDigits: number;
  /** Whether each time has to be rendered as a whole, or each second. */
  readonly #isFine: boolean;
  readonly #isUneven: boolean;
  #secondAt = -1;
  #fractionAt = -1;
  #timeUs = NaN;
  #nanos = 0;
  #second = NaN;
  #minute = NaN;
  #day = NaN;
  #year = 0;
  #month = 0;
  #dayOfMonth = 0;

  /** Renders `parts` of the layout, all by default. Throws a RangeError for a layout that is none. */
  constructor(layout: TimeLayout, parts: readonly LayoutPart[] | undefined = layoutParts(layout)) {
    if (parts === undefined) throw new RangeError(`no layout of times: ${layout.pattern}`);
    this.#parts = parts;
    this.#zoneSeconds = layout.zoneMinutes * 60;
    const fractions = parts.filter(({ field }) => isFraction(field));
    const seconds = parts.filter(({ field }) => field === "S");
    this.#fractionDigits = Number(fractions[0]?.field ?? 0);
    const has = (fields: string) =>
      parts.some(({ field }) => field !== "" && fields.includes(field));
    this.#isFine = fractions.length > 1 || has("LU");
    this.#isUneven = seconds.length > 1 || has("rs");
  }

  /** Digits behind those of microseconds that the layout writes. */
  get nanoDigits(): number {
    return Math.max(0, this.#fractionDigits - MICRO_DIGITS);
  }

  /** Where the first of them stands in the last rendering. */
  get nanosAt(): number {
    return this.#fractionAt + MICRO_DIGITS;
  }

  /** Whether the byte at `at` of the last rendering is one of them. */
  isNano(at: number): boolean {
    const nano = at - this.nanosAt;
    return nano >= 0 && nano < this.nanoDigits;
  }

  /** Renders a time (microseconds since the epoch) and the nanoseconds (0 to 999) beyond it. */
  render(timeUs: number, nanos = 0): void {
    if (timeUs === this.#timeUs && nanos === this.#nanos) return;
    this.#timeUs = timeUs;
    this.#nanos = nanos;
    const second = Math.floor(timeUs / SECOND_US);
    if (this.#isFine) {
      this.#renderAll(second, timeUs);
      return;
    }
    if (second !== this.#second) this.#renderSecond(second, timeUs);
    if (this.#fractionAt >= 0)
      this.#fraction(this.#fractionAt, timeUs - second * SECOND_US, this.#fractionDigits);
  }

  #renderSecond(second: number, timeUs: number): void {
    this.#second = second;
    const wall = second + this.#zoneSeconds;
    const minute = Math.floor(wall / 60);
    if (minute === this.#minute && !this.#isUneven) {
      if (this.#secondAt >= 0) this.#two(this.#secondAt, wall - minute * 60);
      return;
    }
    this.#minute = minute;
    this.#renderAll(second, timeUs);
  }

  #renderAll(second: number, timeUs: number): void {
    const wall = second + this.#zoneSeconds;
    const day = Math.floor(wall / 86_400);
    if (day !== this.#day) {
      const civil = civilDay(day);
      this.#day = day;
      this.#year = civil.year;
      this.#month = civil.month;
      this.#dayOfMonth = civil.day;
    }
    const bytes = this.bytes;
    let at = 0;
    for (const { field, literal } of this.#parts) {
      if (field === "") bytes[at++] = literal;
      else at = this.#field(field, at, wall - day * 86_400, second, timeUs);
    }
    this.length = at;
  }

  /** Writes a field at `at`; `wall` is the second of the day. Returns the offset behind it. */
  #field(field: string, at: number, wall: number, second: number, timeUs: number): number {
    switch (field) {
      case "Y":
        this.#two(at, Math.floor(this.#year / 100));
        return this.#two(at + 2, this.#year % 100);
      case "y":
        return this.#two(at, this.#year % 100);
      case "m":
        return this.#two(at, this.#month);
      case "b":
        return this.#name(at, MONTH_NAMES[this.#month - 1]!);
      case "a":
        return this.#name(at, WEEKDAY_NAMES[weekday(this.#day)]!);
      case "d":
        return this.#two(at, this.#dayOfMonth);
      case "e":
        if (this.#dayOfMonth >= 10) return this.#two(at, this.#dayOfMonth);
        this.bytes[at] = SPACE;
        return this.#number(at + 1, this.#dayOfMonth);
      case "D":
        return this.#number(at, this.#dayOfMonth);
      case "H":
        return this.#two(at, Math.floor(wall / 3600));
      case "k":
        return this.#number(at, Math.floor(wall / 3600));
      case "M":
        return this.#two(at, Math.floor(wall / 60) % 60);
      case "q":
        return this.#number(at, Math.floor(wall / 60) % 60);
      case "S":
        this.#secondAt = at;
        return this.#two(at, wall % 60);
      case "r":
        return this.#number(at, wall % 60);
      case "s":
        return this.#number(at, second);
      case "L":
        return this.#number(at, Math.floor(timeUs / 1000));
      case "U":
        return this.#number(at, timeUs);
      default: {
        this.#fractionAt = at;
        return this.#fraction(at, timeUs - second * SECOND_US, Number(field));
      }
    }
  }

  #two(at: number, value: number): number {
    const tens = (value * 0xcd) >>> 11;
    this.bytes[at] = ZERO + tens;
    this.bytes[at + 1] = ZERO + value - tens * 10;
    return at + 2;
  }

  #fraction(at: number, fractionUs: number, digits: number): number {
    let left =
      digits <= MICRO_DIGITS
        ? (fractionUs / DIGIT_US[digits]!) | 0
        : ((fractionUs * 1000 + this.#nanos) / DIGIT_US[digits - 3]!) | 0;
    for (let i = at + digits - 1; i >= at; i--) {
      const tens = (left / 10) | 0;
      this.bytes[i] = ZERO + left - tens * 10;
      left = tens;
    }
    return at + digits;
  }

  /** Writes a number (0 or more) without padding. */
  #number(at: number, value: number): number {
    let digits = 1;
    for (let limit = 10; limit <= value; limit *= 10) digits++;
    let left = value;
    for (let i = at + digits - 1; i >= at; i--) {
      const tens = Math.floor(left / 10);
      this.bytes[i] = ZERO + left - tens * 10;
      left = tens;
    }
    return at + digits;
  }

  #name(at: number, name: string): number {
    for (let i = 0; i < 3; i++) this.bytes[at + i] = name.charCodeAt(i);
    return at + 3;
  }
}
