import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { LineWriter } from "../../src/corpus/line-writer.ts";
import { LOGHUB_DIR, LOGHUB_MISSING } from "../../src/corpus/loghub.ts";
import { RepeatedLog, SAMPLES } from "../../src/corpus/repeated-log.ts";
import { TimeForm } from "../../src/corpus/time-form.ts";

const HOUR_MS = 3_600_000;

test.each([
  ["%b %e %H:%M:%S", "Dec  9 23:59:59 host", "Dec 10 00:59:59 host"],
  ["[%a %b %d %H:%M:%S %Y]", "[Sat Dec 31 23:04:05 2005] x", "[Sun Jan 01 00:04:05 2006] x"],
  ["%w %w %s", "7 node-1 1077804742 1", "7 node-1 1077808342 1"],
  [
    "- %s %Y.%m.%d %w %b %E %H:%M:%S",
    "- 1131609600 2005.11.09 dn2 Nov 9 23:00:00 a b",
    "- 1131613200 2005.11.10 dn2 Nov 10 00:00:00 a b",
  ],
  ["%y/%m/%d %H:%M:%S", "17/06/09 20:10:40 INFO", "17/06/09 21:10:40 INFO"],
  ["%Y-%m-%d %H:%M:%S,%L", "2015-10-18 18:01:47,978 I", "2015-10-18 19:01:47,978 I"],
])("a line of %s says its own time, and an hour later another", (form, line, later) => {
  const timed = new TimeForm(form).take(line);
  expect(timed?.at(timed.timeMs)).toBe(line);
  expect(timed?.at(timed.timeMs + HOUR_MS)).toBe(later);
});

test.each(["", "no time", "Dec 10 1:02:03 host"])("%o has no time of the form", (line) => {
  expect(new TimeForm("%b %e %H:%M:%S").take(line)).toBeUndefined();
});

describe.skipIf(LOGHUB_MISSING !== undefined)("each sample", () => {
  test.each(SAMPLES)("%s comes first as it is, then with the times of every line moved", (name) => {
    const file = readFileSync(join(LOGHUB_DIR, `${name}_2k.log`), "latin1");
    const lines = file.replace(/\n$/, "").split("\n");
    const log = new RepeatedLog(name);
    const writer = new LineWriter(Buffer.alloc(1 << 20));
    const take = (): string => {
      for (const _ of lines) log.next(writer);
      return writer.take().toString("latin1");
    };
    expect(take()).toBe(`${lines.join("\n")}\n`);
    const again = take().trimEnd().split("\n");
    expect(again.filter((line, i) => line === lines[i])).toEqual([]);
  });
});
