import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeEach, describe, expect, test } from "vitest";
import { Stamper } from "../../src/stamp/stamper.ts";
import { READ_AT_US } from "./stamping.ts";

const CORPUS_DIR =
  process.env["SLUICE_LOGHUB"] ??
  fileURLToPath(new URL("../../../../../shared/corpus/loghub", import.meta.url));

const MONTHS = "JanFebMarAprMayJunJulAugSepOctNovDec";
const SEVERITIES: Readonly<Record<string, number>> = {
  V: 1,
  D: 5,
  I: 9,
  W: 13,
  E: 17,
  F: 21,
  INFO: 9,
  WARN: 13,
  WARNING: 13,
  ERROR: 17,
  FATAL: 21,
  notice: 10,
  error: 17,
  Info: 9,
};

/** How to read a line of a file by a regular expression, to compare the stamper with. */
interface Reading {
  readonly file: string;
  /** Groups: what `iso` needs, and `level` where the file has a column of levels. */
  readonly line: RegExp;
  readonly iso: (groups: Readonly<Record<string, string>>) => string;
}

const month = (name = ""): string => String(MONTHS.indexOf(name) / 3 + 1).padStart(2, "0");
const day = (text = ""): string => text.trim().padStart(2, "0");

/** Whole dates are UTC; READ_AT_US is 24 November 2026, so 25 November and later are of 2025. */
const yearOf = (monthAndDay: string): string => (monthAndDay > "11-25" ? "2025" : "2026");

const dashed: Reading["iso"] = ({ date, clock, ms }) => `${date}T${clock}.${ms ?? "000"}Z`;
const rfc3164: Reading["iso"] = ({ name, date, clock }) => {
  const monthAndDay = `${month(name)}-${day(date)}`;
  return `${yearOf(monthAndDay)}-${monthAndDay}T${clock}Z`;
};

const READINGS: readonly Reading[] = [
  {
    file: "Android",
    line: /^(?<date>\d\d-\d\d) (?<clock>[\d:]{8})\.(?<ms>\d{3}) +\d+ +\d+ (?<level>[A-Z]) /,
    iso: ({ date, clock, ms }) => `${yearOf(date ?? "")}-${date}T${clock}.${ms}Z`,
  },
  {
    file: "Apache",
    line: /^\[\w{3} (?<name>\w{3}) (?<date>\d\d) (?<clock>[\d:]{8}) (?<year>\d{4})\] \[(?<level>\w+)\]/,
    iso: ({ name, date, clock, year }) => `${year}-${month(name)}-${date}T${clock}Z`,
  },
  {
    file: "HDFS",
    line: /^(?<y>\d\d)(?<m>\d\d)(?<d>\d\d) (?<h>\d\d)(?<min>\d\d)(?<s>\d\d) \d+ (?<level>\w+) /,
    iso: ({ y, m, d, h, min, s }) => `20${y}-${m}-${d}T${h}:${min}:${s}Z`,
  },
  {
    file: "Hadoop",
    line: /^(?<date>[\d-]{10}) (?<clock>[\d:]{8}),(?<ms>\d{3}) (?<level>\w+) /,
    iso: dashed,
  },
  { file: "Linux", line: /^(?<name>\w{3}) (?<date>[ \d]\d) (?<clock>[\d:]{8}) /, iso: rfc3164 },
  { file: "OpenSSH", line: /^(?<name>\w{3}) (?<date>[ \d]\d) (?<clock>[\d:]{8}) /, iso: rfc3164 },
  {
    file: "OpenStack",
    line: /^\S+ (?<date>[\d-]{10}) (?<clock>[\d:]{8})\.(?<ms>\d{3}) \d+ (?<level>\w+) /,
    iso: dashed,
  },
  {
    file: "Spark",
    line: /^(?<y>\d\d)\/(?<m>\d\d)\/(?<d>\d\d) (?<clock>[\d:]{8}) (?<level>\w+) /,
    iso: ({ y, m, d, clock }) => `20${y}-${m}-${d}T${clock}Z`,
  },
  {
    file: "Thunderbird",
    line: /^\S+ (?<epoch>\d{10}) /,
    iso: ({ epoch }) => new Date(Number(epoch) * 1000).toISOString(),
  },
  {
    file: "Windows",
    line: /^(?<date>[\d-]{10}) (?<clock>[\d:]{8}), (?<level>\w+) /,
    iso: dashed,
  },
  {
    file: "Zookeeper",
    line: /^(?<date>[\d-]{10}) (?<clock>[\d:]{8}),(?<ms>\d{3}) - (?<level>\w+) /,
    iso: dashed,
  },
];

function linesOf(file: string): readonly string[] {
  const text = readFileSync(join(CORPUS_DIR, `${file}_2k.log`), "latin1");
  return text.replace(/\n$/, "").split("\n");
}

function stampLatin1(stamper: Stamper, text: string): void {
  const line = Buffer.from(text, "latin1");
  stamper.stamp(line, 0, line.length, READ_AT_US);
}

describe("the sample corpus", () => {
  beforeEach(({ skip }) => {
    skip(!existsSync(CORPUS_DIR), `no sample corpus at ${CORPUS_DIR}`);
  });

  test.each(READINGS)("every line of $file has the time and level that it shows", (reading) => {
    const stamper = new Stamper({ zone: 0 });
    const lines = linesOf(reading.file);
    expect(lines.length).toBe(2000);
    for (const text of lines) {
      stampLatin1(stamper, text);
      const groups = reading.line.exec(text)?.groups;
      const iso = groups === undefined ? "" : reading.iso(groups);
      expect({ text, timed: stamper.timed, timeUs: stamper.timeUs }).toEqual({
        text,
        timed: true,
        timeUs: Date.parse(iso) * 1000,
      });
      const level = groups?.["level"];
      if (level !== undefined) {
        expect({ text, severity: stamper.severity }).toEqual({ text, severity: SEVERITIES[level] });
      }
    }
  });

  test.each([
    ["Linux", 46],
    ["OpenSSH", 48],
    ["Thunderbird", 41],
  ])("%s, which has no column of levels, names %i in its text", (file, expected) => {
    const stamper = new Stamper({ zone: 0 });
    const word =
      /(?<![\w./=-])(fatal|panic|alert|crit|error|err|warn|warning|notice|info|debug|trace)(?![\w=/])/i;
    let severe = 0;
    for (const text of linesOf(file)) {
      stampLatin1(stamper, text);
      if (stamper.severity === 0) continue;
      severe += 1;
      expect(text).toMatch(word);
    }
    expect(severe).toBe(expected);
  });

  test("HPC, whose time is an unmarked number in the fifth column, is stamped as read", () => {
    const stamper = new Stamper({ zone: 0 });
    for (const text of linesOf("HPC")) {
      stampLatin1(stamper, text);
      expect(stamper.timeUs).toBe(READ_AT_US);
    }
  });
});
