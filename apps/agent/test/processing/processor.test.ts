import { describe, expect, it, onTestFinished, vi } from "vitest";

import type { ProcessingSettings } from "../../src/agent-settings.ts";
import { UserPattern } from "../../src/processing/user-pattern.ts";
import { processed, processorOf, READ_AT_US, recordOf, timeOf } from "./processing.ts";

describe("severity", () => {
  it.each([
    ["mapped", '{"lvl":"Z"}', 21],
    ["a usual word", '{"lvl":"warning"}', 13],
    ["a number of pino", '{"lvl":50}', 17],
    ["not understood: the default", '{"lvl":"?"}', 9],
    ["none: the default", '{"level":"error"}', 9],
    ["not parsed: what the line says", "ERROR x", 17],
    ["not parsed and nothing said: the default", "x", 9],
  ])("%s", (_name, body, severity) => {
    const settings: ProcessingSettings = {
      parse: { format: "json", fields: undefined, time: undefined },
      severity: { field: "lvl", map: { Z: 21 }, default: 9 },
    };
    expect(processed(settings, body)?.severity).toBe(severity);
  });

  it("of a field goes before the source's, and that before the default", () => {
    const settings: ProcessingSettings = {
      parse: { format: "json", fields: undefined, time: undefined },
      severity: { field: undefined, map: {}, default: 5 },
    };
    const source = { timeUs: READ_AT_US - 5, severity: 9 };
    expect(processed(settings, '{"level":"error"}', source)?.severity).toBe(17);
    expect(processed(settings, "text", source)).toMatchObject({
      severity: 9,
      timeUs: source.timeUs,
    });
    expect(processed(settings, "text", { ...source, severity: 0 })?.severity).toBe(5);
  });
});

describe("include_lines and exclude_lines", () => {
  it.each([
    [["a", "b"], [], "xb", true],
    [["a", "b"], [], "xc", false],
    [[], ["healthz"], "GET /healthz", false],
    [["GET"], ["healthz"], "GET /healthz", false],
    [[], ["^two$"], "one\ntwo\r", false],
    [["é"], [], "café", true],
  ])("%j and %j: %j is kept: %s", (includeLines, excludeLines, body, isKept) => {
    const processor = processorOf({ includeLines, excludeLines });
    expect(processor.process(recordOf(body), READ_AT_US) !== undefined).toBe(isKept);
    expect(processor.counts.excluded).toBe(isKept ? 0 : 1);
  });
});

describe("sample", () => {
  function kept(settings: ProcessingSettings, bodies: readonly string[]): number[] {
    const processor = processorOf(settings);
    return bodies.flatMap((body, i) =>
      processor.process(recordOf(body, { offset: (i + 1) * 40 }), READ_AT_US) === undefined
        ? []
        : [i],
    );
  }
  const equal = Array.from({ length: 4_000 }, () => "the same line, again and again");

  it("keeps its share of lines, equal ones too, and the same ones each time", () => {
    const settings = { sample: { keep: 0.1, unless: undefined } };
    const first = kept(settings, equal);
    expect(first.length).toBeGreaterThan(320);
    expect(first.length).toBeLessThan(480);
    expect(kept(settings, equal)).toEqual(first);
  });

  it("keeps what it is not to touch", () => {
    const settings = { sample: { keep: 0.000_001, unless: { min: 13, max: 24 } } };
    expect(kept(settings, ["INFO a", "WARN b", "ERROR c", "d"])).toEqual([1, 2]);
  });
});

describe("rate_limit", () => {
  function kept(
    lines: readonly (readonly [atMs: number | undefined, readAtMs: number])[],
  ): number[] {
    const processor = processorOf({ rateLimit: { linesPerSecond: 10, burst: 2 } });
    return lines.flatMap(([atMs, readAtMs], i) => {
      const time = atMs === undefined ? "" : `${new Date(START_MS + atMs).toISOString()} `;
      const record = processor.process(recordOf(`${time}line`), (START_MS + readAtMs) * 1000);
      return record === undefined ? [] : [i];
    });
  }
  const START_MS = Date.UTC(2026, 10, 26, 22);

  it.each([
    [
      "a burst, then the rate",
      [
        [0, 0],
        [0, 0],
        [0, 0],
        [100, 100],
        [110, 110],
      ],
      [0, 1, 3],
    ],
    [
      "a backlog that was within the limit is whole",
      [
        [0, 9e5],
        [100, 9e5],
        [200, 9e5],
        [300, 9e5],
      ],
      [0, 1, 2, 3],
    ],
    [
      "a time to come holds nothing up",
      [
        [9e9, 0],
        [9e9, 100],
        [9e9, 200],
      ],
      [0, 1, 2],
    ],
    [
      "lines without a time go by when they are read",
      [
        [undefined, 0],
        [undefined, 0],
        [undefined, 0],
        [undefined, 100],
      ],
      [0, 1, 3],
    ],
    [
      "lines without a time go with the one in front",
      [
        [0, 9e5],
        [undefined, 9e5],
        [undefined, 9e5],
        [100, 9e5],
      ],
      [0, 1, 3],
    ],
    [
      "a clock that is set back counts on",
      [
        [9e5, 9e5],
        [9e5, 9e5],
        [0, 9e5],
        [100, 9e5],
      ],
      [0, 1, 3],
    ],
  ] as const)("%s", (_name, lines, expected) => {
    expect(kept(lines)).toEqual(expected);
  });
});

describe("redact", () => {
  it("reaches body and attributes, the source's too", () => {
    const processor = processorOf({
      parse: { format: "json", fields: undefined, time: undefined },
      redact: ["secrets", "email"],
    });
    const record = processor.process(
      recordOf('{"user":"bob@example.com","password":17}', {
        attributes: { _CMDLINE: "mysql --password hunter2" },
      }),
      READ_AT_US,
    );
    expect(Buffer.from(record?.body ?? []).toString()).toBe('{"user":"***","password":"***"}');
    expect({ ...record?.attributes }).toEqual({
      _CMDLINE: "mysql --password ***",
      user: "***",
      password: "***",
    });
    expect(processor.counts.redactions).toBe(1);
  });

  it("leaves every other byte as it is, UTF-8 or not", () => {
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
    const settings: ProcessingSettings = { redact: ["secrets", "cards", "email", "tokens"] };
    expect(processed(settings, bytes)?.body).toEqual(bytes);
    const around = Buffer.concat([bytes, Buffer.from(" password=x "), bytes]);
    const expected = Buffer.concat([bytes, Buffer.from(" password=*** "), bytes]);
    expect(processed(settings, around)?.body).toEqual(expected);
    const text = "größe password=x 日本 🎉";
    expect(Buffer.from(processed(settings, text)?.body ?? []).toString()).toBe(
      "größe password=*** 日本 🎉",
    );
  });
});

describe("a rule that fails", () => {
  /** Throws when a rule looks at the record's offset. */
  const broken = {
    get offset(): number {
      throw new Error("out of luck");
    },
  };

  it("loses no line: it is shipped with what went wrong, and redacted all the same", () => {
    const processor = processorOf({
      sample: { keep: 0.5, unless: undefined },
      redact: ["secrets"],
    });
    const record = recordOf("2026-11-26T22:00:00Z ERROR password=x");
    Object.defineProperty(
      record,
      "offset",
      Object.getOwnPropertyDescriptor(broken, "offset") ?? {},
    );
    const shipped = processor.process(record, READ_AT_US);
    expect(Buffer.from(shipped?.body ?? []).toString()).toBe(
      "2026-11-26T22:00:00Z ERROR password=***",
    );
    expect(shipped).toMatchObject({ severity: 17, timeUs: timeOf("2026-11-26T22:00:00Z") });
    expect({ ...shipped?.attributes }).toEqual({ "sluice.processing_error": "out of luck" });
    expect(processor.counts.failed).toBe(1);
  });

  it("withholds a body that could not be looked through", () => {
    const processor = processorOf({
      redact: [{ pattern: "x", replace: "y" }],
      attributes: { a: "b" },
    });
    vi.spyOn(UserPattern.prototype, "test").mockImplementation(() => {
      throw new Error("out of luck");
    });
    onTestFinished(() => void vi.restoreAllMocks());
    const shipped = processor.process(recordOf("secret"), READ_AT_US);
    expect(Buffer.from(shipped?.body ?? []).toString()).toBe("***");
    expect({ ...shipped?.attributes }).toEqual({ "sluice.processing_error": "out of luck" });
  });
});
