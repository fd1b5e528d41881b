import { MONTH_NAMES, WEEKDAY_NAMES, civilDay } from "./calendar.ts";
import { LayoutText } from "./layout-text.ts";
import { MAX_ZONE_MINUTES, type TimeLayout } from "./time-layout.ts";

/** A line and the time of its record. */
export interface SampleLine {
  /** The line as Latin-1. */
  readonly text: string;
  readonly timeUs: number;
}

const MINUTE_US = 60_000_000;
const DAY_US = 86_400_000_000;
const ZONE_STEP_MINUTES = 15;

/** A known way to write times: `%f` stands for a fraction and its separator, `%z` for a zone; either may be missing. */
const KNOWN: readonly string[] = [
  ...["T", " ", "_"].flatMap((gap) => [
    `%Y-%m-%d${gap}%H:%M:%S%f%z`,
    `%Y/%m/%d${gap}%H:%M:%S%f%z`,
    `%Y.%m.%d${gap}%H:%M:%S%f%z`,
  ]),
  "%Y-%m-%d-%H.%M.%S%f",
  "%Y%m%dT%H%M%S%f%z",
  "%Y%m%d-%k:%q:%r",
  "%Y%m%d %H:%M:%S%f",
  "%Y%m%d%H%M%S",
  "%a %b %e %H:%M:%S%f %Y",
  "%a %b %d %H:%M:%S%f %Y",
  "%a, %d %b %Y %H:%M:%S",
  "%b %e %H:%M:%S%f",
  "%b %d %H:%M:%S%f",
  "%b %D %H:%M:%S%f",
  "%d/%b/%Y:%H:%M:%S%f %z",
  "%d/%b/%Y:%H:%M:%S%f",
  "%d %b %Y %H:%M:%S%f",
  "%d-%b-%Y %H:%M:%S%f",
  "%d.%m.%Y %H:%M:%S%f",
  "%m/%d/%Y %H:%M:%S%f",
  "%y%m%d %H%M%S",
  "%y%m%d %H:%M:%S",
  "%y/%m/%d %H:%M:%S",
  "%m-%d %H:%M:%S%f",
  "%U",
  "%L",
  "%s%f",
  "%H:%M:%S%f",
  "%Y-%m-%d",
  "%Y.%m.%d",
  "%Y/%m/%d",
];

const FIELD_PATTERNS: Readonly<Record<string, string>> = {
  Y: "(\\d{4})",
  y: "(\\d\\d)",
  m: "(\\d\\d)",
  b: `(${MONTH_NAMES.join("|")})`,
  a: `(${WEEKDAY_NAMES.join("|")})`,
  d: "(\\d\\d)",
  e: "([ \\d]\\d)",
  D: "(\\d\\d?)",
  H: "(\\d\\d)",
  k: "(\\d\\d?)",
  M: "(\\d\\d)",
  q: "(\\d\\d?)",
  S: "(\\d\\d)",
  r: "(\\d\\d?)",
  s: "(\\d{10})",
  L: "(\\d{13})",
  U: "(\\d{16})",
  f: "([.,]\\d+)?",
  z: "(Z|UTC|[+-]\\d\\d:?\\d\\d)?",
};

interface KnownForm {
  readonly pattern: string;
  readonly fields: readonly string[];
  readonly regex: RegExp;
}

const FORMS: readonly KnownForm[] = KNOWN.map((pattern) => ({
  pattern,
  fields: Array.from(pattern.matchAll(/%(\w)/g), (match) => match[1] ?? ""),
  regex: new RegExp(
    pattern
      .replaceAll(/[.+]/g, "\\$&")
      .replaceAll(/%(\w)/g, (_, field: string) => FIELD_PATTERNS[field] ?? ""),
    "y",
  ),
}));

/** Forms that begin with a name, and forms that begin with a digit. */
const [NAMED, NUMBERED] = [FORMS.filter(isNamed), FORMS.filter((form) => !isNamed(form))];

function isNamed({ pattern }: KnownForm): boolean {
  return pattern.startsWith("%a") || pattern.startsWith("%b");
}

/** Where a timestamp may begin: a digit or a name at the start of a word. */
const START = /(?<![\w\u0080-\u00ff])(?:\d|(?:[A-Z][a-z]{2}[ ,]))/g;
/** Timestamps stand near the start of a line, but for what a message says of itself. */
const SEARCH_LENGTH = 512;
/** A layout that fewer than one line in so many has does not pay. */
const RAREST = 32;

/** A layout and the places (line * SEARCH_LENGTH + offset) where it stands in the samples, with the end of each. */
interface Candidate {
  readonly layout: TimeLayout;
  readonly places: Map<number, number>;
}

/**
 * Finds the layouts that render the times of sample lines back as they are written there, the one that saves the most
 * first; at most `limit`.
 */
export function findLayouts(samples: readonly SampleLine[], limit: number): TimeLayout[] {
  const found = new Map<string, Candidate>();
  samples.forEach(({ text, timeUs }, line) => {
    for (const start of text.slice(0, SEARCH_LENGTH).matchAll(START)) {
      for (const form of start[0].length > 1 ? NAMED : NUMBERED) {
        const read = readLayout(form, text, start.index, timeUs);
        if (read === undefined) continue;
        const key = `${read.layout.zoneMinutes} ${read.layout.pattern}`;
        let candidate = found.get(key);
        if (candidate === undefined)
          found.set(key, (candidate = { layout: read.layout, places: new Map() }));
        candidate.places.set(line * SEARCH_LENGTH + start.index, read.end - start.index);
      }
    }
  });
  return choose([...found.values()], limit, samples.length);
}

/** Greedy cover: a place counts for the layout that takes it first, and so does what begins inside it. */
function choose(candidates: readonly Candidate[], limit: number, lines: number): TimeLayout[] {
  const chosen: TimeLayout[] = [];
  while (chosen.length < limit) {
    let best: Candidate | undefined;
    let bestSaved = 0;
    for (const candidate of candidates) {
      let saved = 0;
      for (const length of candidate.places.values()) saved += length;
      if (saved > bestSaved) [best, bestSaved] = [candidate, saved];
    }
    if (best === undefined || best.places.size * RAREST < lines) break;
    chosen.push(best.layout);
    const taken = [...best.places];
    for (const { places } of candidates)
      for (const [place, length] of taken)
        for (let at = place; at < place + length; at++) places.delete(at);
  }
  return chosen;
}

/** The layout in which `form` stands at `at` and says `timeUs`, or undefined. */
function readLayout(
  form: KnownForm,
  text: string,
  at: number,
  timeUs: number,
): { readonly layout: TimeLayout; readonly end: number } | undefined {
  form.regex.lastIndex = at;
  const match = form.regex.exec(text);
  if (match === null) return undefined;
  const values = new Map(form.fields.map((field, i) => [field, match[i + 1]]));
  const fraction = values.get("f");
  const zone = values.get("z");
  let end = at + match[0].length;
  let pattern = form.pattern.replace("%z", zone ?? "");
  if (fraction === undefined) pattern = pattern.replace("%f", "");
  else if (fraction.length <= 10)
    pattern = pattern.replace("%f", `${fraction.charAt(0)}%${fraction.length - 1}`);
  else {
    // Digits beyond nanoseconds stay text, and so do those before them.
    pattern = pattern.slice(0, pattern.indexOf("%f")) + fraction.charAt(0);
    end = text.indexOf(fraction, at) + 1;
  }
  if (isWordAt(text, end - 1) && isWordAt(text, end)) return undefined;
  const zoneMinutes = findZone(values, timeUs);
  if (zoneMinutes === undefined) return undefined;
  const layout = { pattern, zoneMinutes };
  const rendered = new LayoutText(layout);
  rendered.render(timeUs, Number((fraction ?? "").slice(7, 10).padEnd(3, "0")));
  const back = Buffer.from(rendered.bytes.buffer, 0, rendered.length).toString("latin1");
  return back === text.slice(at, end) ? { layout, end } : undefined;
}

function isWordAt(text: string, at: number): boolean {
  return at < text.length && /[\w\u0080-\u00ff]/.test(text.charAt(at));
}

/** How many minutes what is written is ahead of UTC; what is not written is taken from the time. */
function findZone(
  values: ReadonlyMap<string, string | undefined>,
  timeUs: number,
): number | undefined {
  if (values.has("s") || values.has("L") || values.has("U")) return 0;
  const number = (field: string): number | undefined => {
    const text = values.get(field);
    return text === undefined ? undefined : Number(text);
  };
  const dayNow = Math.floor(timeUs / DAY_US);
  const now = civilDay(dayNow);
  const month =
    number("m") ?? (values.has("b") ? MONTH_NAMES.indexOf(values.get("b") ?? "") + 1 : undefined);
  const day = number("d") ?? number("e") ?? number("D");
  const short = number("y");
  const year = number("Y") ?? (short === undefined ? undefined : 2000 + short);
  const hour = number("H") ?? number("k");
  const timeOfDayUs = ((hour ?? 0) * 60 + (number("M") ?? number("q") ?? 0)) * MINUTE_US;
  const minuteUs = Math.floor(timeUs / MINUTE_US) * MINUTE_US;
  const years = year === undefined ? [now.year, now.year - 1, now.year + 1] : [year];
  for (const candidate of years) {
    const days =
      month === undefined || day === undefined
        ? dayNow
        : Math.floor(Date.UTC(candidate, month - 1, day) / 86_400_000);
    // A date alone does not tell its zone.
    if (hour === undefined) return days === dayNow ? 0 : undefined;
    let minutes = (days * DAY_US + timeOfDayUs - minuteUs) / MINUTE_US;
    if (month === undefined) minutes = ((((minutes + 720) % 1440) + 1440) % 1440) - 720;
    if (Math.abs(minutes) <= MAX_ZONE_MINUTES && minutes % ZONE_STEP_MINUTES === 0) return minutes;
  }
  return undefined;
}
