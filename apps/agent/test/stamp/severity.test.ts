import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { SEVERITY_WINDOW } from "../../src/stamp/severity.ts";
import { stamp } from "./stamping.ts";

const WORDS = {
  FATAL: 21,
  PANIC: 21,
  EMERG: 21,
  EMERGENCY: 21,
  ALERT: 19,
  CRIT: 18,
  CRITICAL: 18,
  ERROR: 17,
  ERR: 17,
  WARN: 13,
  WARNING: 13,
  NOTICE: 10,
  INFO: 9,
  DEBUG: 5,
  TRACE: 1,
} as const;
const words = Object.entries(WORDS);
const capitalised = (word: string): string => `${word.slice(0, 1)}${word.slice(1).toLowerCase()}`;

describe("a syslog priority", () => {
  test.each([
    [0, 21],
    [1, 19],
    [2, 18],
    [3, 17],
    [4, 13],
    [5, 10],
    [6, 9],
    [7, 5],
  ])("of severity %i is %i, whatever its facility and the message say", (severity, expected) => {
    for (const facility of [0, 1, 4, 23]) {
      const line = `<${facility * 8 + severity}>Nov 22 08:00:01 host su: error debug`;
      expect(stamp(line).severity).toBe(expected);
    }
  });

  test.each(["<192>x", "<>x", "<1234>x", "<3x", "<3"])("is none in %s", (line) => {
    expect(stamp(line).severity).toBe(0);
  });
});

describe("a word of severity", () => {
  test.each(words)("%s counts in upper, lower and capitalised case", (word, expected) => {
    for (const text of [word, word.toLowerCase(), capitalised(word)]) {
      expect(stamp(text).severity).toBe(expected);
      expect(stamp(`[${text}] x`).severity).toBe(expected);
      expect(stamp(`2026-11-22T08:00:01Z host app[1]: ${text}: x`).severity).toBe(expected);
    }
  });

  test.each(words)("%s in mixed case is none", (word) => {
    const mixed = `${word.slice(0, -1).toLowerCase()}${word.slice(-1)}`;
    expect(stamp(`a ${mixed} b`).severity).toBe(0);
    expect(stamp(`a ${word.slice(0, 2)}${word.slice(2).toLowerCase()} b`).severity).toBe(0);
  });

  test("is found wherever it stands, as the first of its line", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...words),
        fc.constantFrom(" ", "[", "(", ":", "|", "<", "*", "\t", "'"),
        fc.constantFrom(" ", "]", ")", ":", "|", ">", "*", ",", ". ", "!", ""),
        fc.nat(SEVERITY_WINDOW - 12),
        fc.nat(20),
        ([word, expected], before, after, offset, behind) => {
          const lead = "xy zq ".repeat(20).slice(0, offset);
          const rest = after === "" ? "" : `${after}${" info fatal".repeat(3).slice(0, behind)}`;
          expect(stamp(`${lead}${before}${word}${rest}`).severity).toBe(expected);
        },
      ),
      { numRuns: 3000 },
    );
  });

  test("is the one that a regular expression finds in any tangle of halves of words", () => {
    const spellings = words.flatMap(([word]) => [word, word.toLowerCase(), capitalised(word)]);
    const alone = new RegExp(String.raw`(?<![\w./-])(?:${spellings.join("|")})(?![\w=/]|[-.]\w)`);
    const halves =
      "E ER ERR ERRO rr error I INF INFO Info fo WA WARN warning PAN panic TRA CRIT DEB NOT notice";
    const marks = ["7", "_", " ", " ", " ", "[", ".", "-", "/", ": ", "=x", "| "];
    const piece = fc.constantFrom(...halves.split(" "), ...marks);
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const line = pieces.join("");
        const found = alone.exec(line)?.[0].toUpperCase();
        const expected = words.find(([word]) => word === found)?.[1] ?? 0;
        expect({ line, severity: stamp(line).severity }).toEqual({ line, severity: expected });
      }),
      { numRuns: 20_000 },
    );
  });

  test("is not looked for far behind the start", () => {
    const near = `${"x".repeat(SEVERITY_WINDOW - 6)} ERROR and more text`;
    const far = `${"x".repeat(SEVERITY_WINDOW + 8)} ERROR and more text`;
    expect(stamp(near).severity).toBe(17);
    expect(stamp(far).severity).toBe(0);
    expect(stamp(`2026-11-22T08:00:01Z${near.slice(1)}`).severity).toBe(17);
  });

  test.each([
    "errors=0 in 3 files",
    "information about it",
    "error=0",
    "err=<nil>",
    'error="i/o timeout"',
    '"error": null',
    '{"error":"x","info":1}',
    "see /var/log/error.log",
    "open error.log",
    "info.php",
    "www.info.example",
    "a/info/b",
    "--debug",
    "debug-level",
    "pgerror",
    "error_log",
    "log_error",
    "terror",
    "warned",
    "notices",
    "tracer",
    "critically",
    "INFO2",
    "3ERR",
    "éerror",
    "erroré",
    "loglevels=info",
    "I/O error_count",
    "er ror",
    "ER",
  ])("is none in %s", (line) => {
    expect(stamp(line).severity).toBe(0);
  });

  test.each([
    ["a refused one, errors=0, then ERROR: x", 17],
    ["information: WARN x", 13],
    ["ererror ERR", 17],
    ["INFINFO INFO x", 9],
    ["2026/11/22 08:00:01 [error] 12#0: *3 x", 17],
    ["2026/11/22 08:00:01 [warn] 12#0: error x", 13],
    ["[Sun Dec 04 04:47:44 2005] [notice] error", 10],
    ["2015-07-29 17:41:44,747 - WARN  [Send] - x", 13],
    ["2026-11-22 08:00:01.123 UTC [12] FATAL:  x", 21],
    ["kernel: EXT4-fs error (device sda1): x", 17],
    ["[drm:foo] *ERROR* x", 17],
    ["a|ERROR|b", 17],
    ["<0.1> ERROR", 17],
  ])("%s is of severity %i", (line, expected) => {
    expect(stamp(line).severity).toBe(expected);
  });
});

describe("a level in logfmt", () => {
  test.each([
    ["level=warn msg=x", 13],
    ["time=2026-11-22T08:00:01Z level=ERROR msg=x", 17],
    ['ts=1 level="debug" msg=x', 5],
    ["lvl=info x", 9],
    ["severity=critical x", 18],
    ["log.level=info x", 9],
    ["err=nil level=info", 9],
  ])("%s is %i", (line, expected) => {
    expect(stamp(line).severity).toBe(expected);
  });

  test.each(["evel=warn", "=warn", "l=warn", "vel=info", "everity=info", "key=error"])(
    "is none in %s",
    (line) => {
      expect(stamp(line).severity).toBe(0);
    },
  );
});

describe("a letter of severity", () => {
  test.each([
    ["03-17 16:13:38.811  1702  2395 V Tag: error", 1],
    ["03-17 16:13:38.811  1702  2395 D Tag: error", 5],
    ["03-17 16:13:38.811  1702  2395 I Tag: error", 9],
    ["03-17 16:13:38.811  1702  2395 W Tag: error", 13],
    ["03-17 16:13:38.811  1702  2395 E Tag: info", 17],
    ["03-17 16:13:38.811  1702  2395 F Tag: info", 21],
    ["03-17 16:13:38.811 E/Tag( 12): info", 17],
    ["E/ActivityManager( 1702): info", 17],
    ["I1122 08:00:01.000002 12 a.cc:1] error", 9],
    ["W1122 08:00:01.000002 12 a.cc:1] error", 13],
    ["E1122 08:00:01.000002 12 a.cc:1] info", 17],
    ["F1122 08:00:01.000002 12 a.cc:1] info", 21],
  ])("%s is %i", (line, expected) => {
    expect(stamp(line).severity).toBe(expected);
  });

  test.each([
    "E is not one here",
    "I/O stalled on (sda)",
    "E/x",
    "E1122 without a time",
    "2026-11-22T08:00:01Z E x",
    "03-17 16:13:38.811  1702  2395 X Tag: x",
  ])("is none in %s", (line) => {
    expect(stamp(line).severity).toBe(0);
  });
});

describe("a level in JSON", () => {
  test.each([
    ['{"level":"warn"}', 13],
    ['{"msg":"error","level":"INFO"}', 9],
    ['{"severity":"Critical"}', 18],
    ['{"lvl":"err","ts":1700000000}', 17],
    ['{"level":10}', 1],
    ['{"level":20}', 5],
    ['{"level":30,"time":1700000000123}', 9],
    ['{"level":35}', 9],
    ['{"level":40}', 13],
    ['{"level":50}', 17],
    ['{"level":60}', 21],
    ['{"version":"1.1","level":3}', 17],
    ['{"level":{"level":"error"},"severity":"info"}', 9],
    ['{"level":8}', 0],
    ['{"level":"verbose"}', 0],
    ['{"x":{"level":"error_"}}', 0],
  ])("%s is %i", (line, expected) => {
    expect(stamp(line).severity).toBe(expected);
  });
});
