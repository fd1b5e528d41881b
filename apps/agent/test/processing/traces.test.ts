import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

import { MULTILINE_PRESETS } from "../../src/processing/processing-settings.ts";
import { frame, multiline } from "./framing.ts";

/** Lines of these stand between the records of a trace file. */
const SEPARATOR = "\n%%\n";

/**
 * What OpenJDK 17, CPython 3, Go 1.19, Ruby 3.1 and Node.js 24 print, between ordinary lines, and
 * below it forms that other versions, options and loggers write.
 */
function traceOf(preset: string): readonly string[] {
  const file = new URL(`traces/${preset}.txt`, import.meta.url);
  return readFileSync(file, "utf8").trimEnd().split(SEPARATOR);
}

describe.each(MULTILINE_PRESETS)("the preset %s", (preset) => {
  it("makes each trace one record, and leaves the lines around it alone", async () => {
    const records = traceOf(preset);
    expect(await frame(`${records.join("\n")}\n`, multiline(preset))).toEqual(records);
  });

  it("does so where lines end with CR LF", async () => {
    const records = traceOf(preset).map((record) => `${record.replaceAll("\n", "\r\n")}\r`);
    expect(await frame(`${records.join("\n")}\n`, multiline(preset))).toEqual(records);
  });

  it("leaves the lines of the other languages' logs, other than traces, alone", async () => {
    const lines = MULTILINE_PRESETS.flatMap(traceOf).filter((record) => !record.includes("\n"));
    expect(lines.length).toBeGreaterThan(20);
    expect(await frame(`${lines.join("\n")}\n`, multiline(preset))).toEqual(lines);
  });
});
