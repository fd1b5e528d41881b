/** Reads the time off a line of the sample corpus or of the generated one, all of them as UTC. */

const MONTHS = "JanFebMarAprMayJunJulAugSepOctNovDec";

type Reader = readonly [regex: RegExp, read: (parts: readonly string[]) => number];

function utc(
  year: string | number,
  month: string | number,
  day: string | number,
  clock: string,
  fraction = "",
): number {
  const number =
    typeof month === "string" && /^[A-Z]/.test(month) ? MONTHS.indexOf(month) / 3 + 1 : month;
  const [hour, minute, second] = clock.match(/\d\d/g) ?? [];
  const ms = Date.UTC(+year, +number - 1, +day, Number(hour), Number(minute), Number(second));
  return ms * 1000 + Number(fraction.padEnd(6, "0").slice(0, 6));
}

const CLOCK = String.raw`(\d\d:\d\d:\d\d)(?:[.,](\d+))?`;

const READERS: readonly Reader[] = [
  // BGL, Thunderbird and HPC carry the epoch.
  [/^\S+ (1\d{9}) \d{4}\.\d\d\.\d\d /, ([, s]) => Number(s) * 1e6],
  [/^\d+ \S+ \S+ \S+ (1\d{9}) /, ([, s]) => Number(s) * 1e6],
  [
    new RegExp(`^.{0,60}?(\\d{4})-(\\d\\d)-(\\d\\d)[T ]${CLOCK}`),
    ([, y = "", m = "", d = "", c = "", f]) => utc(y, m, d, c, f),
  ],
  [
    new RegExp(`^.{0,80}?(\\d\\d)/([A-Z]..)/(\\d{4}):${CLOCK}`),
    ([, d = "", m = "", y = "", c = "", f]) => utc(y, m, d, c, f),
  ],
  [
    new RegExp(`^\\[?[A-Z].. ([A-Z]..) +(\\d+) ${CLOCK} (\\d{4})`),
    ([, m = "", d = "", c = "", f, y = ""]) => utc(y, m, d, c, f),
  ],
  [
    new RegExp(`^([A-Z]..) +(\\d+) ${CLOCK}`),
    ([, m = "", d = "", c = "", f]) => utc(2024, m, d, c, f),
  ],
  [
    new RegExp(`^(\\d\\d)/(\\d\\d)/(\\d\\d) ${CLOCK}`),
    ([, y = "", m = "", d = "", c = "", f]) => utc(`20${y}`, m, d, c, f),
  ],
  [
    new RegExp(`^(\\d\\d)-(\\d\\d) ${CLOCK}`),
    ([, m = "", d = "", c = "", f]) => utc(2024, m, d, c, f),
  ],
  [
    /^(\d\d)(\d\d)(\d\d) (\d\d\d\d\d\d) /,
    ([, y = "", m = "", d = "", c = ""]) => utc(`20${y}`, m, d, c),
  ],
];

/** Microseconds since the epoch, or `otherwise` where the line names no time. */
export function lineTimeUs(line: string, otherwise: number): number {
  for (const [regex, read] of READERS) {
    const match = regex.exec(line);
    const timeUs = match === null ? NaN : read(match);
    if (!Number.isNaN(timeUs)) return timeUs;
  }
  return otherwise;
}
