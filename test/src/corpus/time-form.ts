const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const WEEKDAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
/** For forms without a year. */
const YEAR = 2017;
/** Stands for any word, which is kept. */
const WORD = "%w";

interface Directive {
  readonly pattern: string;
  /** `time` is what the line's clock shows; `epochMs` the same moment, which differs by its zone. */
  readonly write: (time: Date, epochMs: number) => string;
}

/** The directives of strftime(3) that logs use; `%L` are milliseconds, `%E` is a day beside a date, `%w` any word. */
const DIRECTIVES: Readonly<Record<string, Directive>> = {
  Y: number("Y", 4, (time) => time.getUTCFullYear()),
  y: number("y", 2, (time) => time.getUTCFullYear() % 100),
  m: number("m", 2, (time) => time.getUTCMonth() + 1),
  d: number("d", 2, (time) => time.getUTCDate()),
  e: { pattern: "(?<d>[ \\d]\\d)", write: (time) => String(time.getUTCDate()).padStart(2) },
  E: { pattern: "\\d{1,2}", write: (time) => String(time.getUTCDate()) },
  H: number("H", 2, (time) => time.getUTCHours()),
  M: number("M", 2, (time) => time.getUTCMinutes()),
  S: number("S", 2, (time) => time.getUTCSeconds()),
  L: number("L", 3, (time) => time.getUTCMilliseconds()),
  s: { pattern: "(?<s>\\d{10})", write: (_time, epochMs) => String(Math.floor(epochMs / 1000)) },
  b: { pattern: "(?<b>[A-Z][a-z]{2})", write: (time) => MONTHS[time.getUTCMonth()] ?? "" },
  a: { pattern: "[A-Z][a-z]{2}", write: (time) => WEEKDAYS[time.getUTCDay()] ?? "" },
};

function number(name: string, width: number, value: (time: Date) => number): Directive {
  return {
    pattern: `(?<${name}>\\d{${width}})`,
    write: (time) => String(value(time)).padStart(width, "0"),
  };
}

type Fields = Readonly<Record<string, string | undefined>>;

/** A line taken apart: when it is from, and how it reads with another time in it. */
export interface TimedLine {
  readonly timeMs: number;
  readonly at: (timeMs: number) => string;
}

/** How one log writes the times of its lines, as a template such as `%b %e %H:%M:%S`. What is not UTC is taken as if it were. */
export class TimeForm {
  readonly #pattern: RegExp;
  readonly #parts: readonly (string | Directive)[];

  constructor(template: string) {
    this.#parts = template.split(/(%.)/).map((part) => {
      return part.startsWith("%") && part !== WORD ? directive(part.slice(1)) : part;
    });
    const sources = this.#parts.map((part, i) => {
      if (part === WORD) return `(?<word${i}>\\S+)`;
      return typeof part === "string" ? part.replace(/[.[\]]/g, "\\$&") : part.pattern;
    });
    this.#pattern = new RegExp(`^${sources.join("")}`);
  }

  /** Undefined where the line does not begin so, or would read otherwise with its own time. */
  take(line: string): TimedLine | undefined {
    const match = this.#pattern.exec(line);
    if (match === null) return undefined;
    const rest = line.slice(match[0].length);
    const fields = match.groups ?? {};
    const shownMs = shownTime(fields);
    const timeMs = fields["s"] === undefined ? shownMs : Number(fields["s"]) * 1000;
    const at = (otherMs: number): string =>
      this.#write(new Date(otherMs - timeMs + shownMs), otherMs, fields) + rest;
    return at(timeMs) === line ? { timeMs, at } : undefined;
  }

  #write(time: Date, epochMs: number, fields: Fields): string {
    return this.#parts
      .map((part, i) => {
        if (part === WORD) return fields[`word${i}`] ?? "";
        return typeof part === "string" ? part : part.write(time, epochMs);
      })
      .join("");
  }
}

function directive(letter: string): Directive {
  const found = DIRECTIVES[letter];
  if (found === undefined) throw new Error(`no directive %${letter}`);
  return found;
}

/** The time that the fields show, as if it were UTC's. */
function shownTime(fields: Fields): number {
  const value = (name: string): number | undefined =>
    fields[name] === undefined ? undefined : Number(fields[name]);
  const shortYear = value("y");
  const year = value("Y") ?? (shortYear === undefined ? YEAR : 2000 + shortYear);
  const month = fields["b"] === undefined ? (value("m") ?? 1) - 1 : MONTHS.indexOf(fields["b"]);
  const time = [value("H"), value("M"), value("S"), value("L")].map((part) => part ?? 0);
  const [hours = 0, minutes = 0, seconds = 0, milliseconds = 0] = time;
  return Date.UTC(year, month, value("d") ?? 1, hours, minutes, seconds, milliseconds);
}
