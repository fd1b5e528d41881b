import { formatProblem, loadConfig } from "@sluice/config";
import { describe, expect, it } from "vitest";

import type { ProcessingSettings } from "../../src/agent-settings.ts";
import { AGENT_CONFIG } from "../../src/config.ts";
import { toSource } from "../../src/source-config.ts";

function load(rules: string) {
  const indented = rules.replaceAll("\n", "\n    ");
  return loadConfig({
    schema: AGENT_CONFIG,
    text: `sources:\n  - file: /var/log/app.log\n    ${indented}\n`,
    file: "agent.yaml",
    env: {},
    envPrefix: "SLUICE_AGENT_",
    flags: {},
  });
}

function settingsOf(rules: string): ProcessingSettings | undefined {
  const loaded = load(rules);
  if (!loaded.ok) {
    throw new Error(loaded.error.map(formatProblem).join("\n"));
  }
  const [source] = loaded.value.value.sources.map(toSource);
  return source?.processing;
}

function problemsOf(rules: string): string {
  const loaded = load(rules);
  return loaded.ok ? "" : loaded.error.map(formatProblem).join("\n");
}

describe("the rules of a source", () => {
  it.each(["", "labels: {env: prod}", "start: beginning", "redact: []"])(
    "are none, and its lines take the short way: %j",
    (rules) => {
      expect(settingsOf(rules)).toBeUndefined();
    },
  );

  const DEFAULTS = { maxLines: 500, maxBytes: 262_144, maxWaitMs: 1_000 };
  it.each([
    ["multiline: java", { multiline: { rule: "java", ...DEFAULTS } }],
    [
      "multiline: {preset: go, max_wait: 5s}",
      { multiline: { rule: "go", ...DEFAULTS, maxWaitMs: 5_000 } },
    ],
    [
      'multiline: {start: "^<", max_lines: 9, max_bytes: 64KiB}',
      {
        multiline: {
          rule: { start: "^<", continue: undefined },
          maxLines: 9,
          maxBytes: 65_536,
          maxWaitMs: 1_000,
        },
      },
    ],
    ["parse: logfmt", { parse: { format: "logfmt", fields: undefined, time: undefined } }],
    [
      "parse: {format: json, fields: [user], time: when}",
      { parse: { format: "json", fields: ["user"], time: "when" } },
    ],
    [
      String.raw`parse: {regex: '(?<level>\w+)'}`,
      {
        parse: { format: { regex: String.raw`(?<level>\w+)` }, fields: undefined, time: undefined },
      },
    ],
    [
      "parse: json\nseverity: {field: lvl, map: {W: warn, E: error}, default: info}",
      { severity: { field: "lvl", map: { W: 13, E: 17 }, default: 9 } },
    ],
    ["severity: {default: debug}", { severity: { field: undefined, map: {}, default: 5 } }],
    ["include_lines: a", { includeLines: ["a"] }],
    ["exclude_lines: [a, b]", { excludeLines: ["a", "b"] }],
    ["sample: 10%", { sample: { keep: 0.1, unless: undefined } }],
    [
      'sample: {keep: 2.5%, unless: ">=warn"}',
      { sample: { keep: 0.025, unless: { min: 13, max: 24 } } },
    ],
    [
      "rate_limit: {lines_per_second: 1000}",
      { rateLimit: { linesPerSecond: 1_000, burst: 1_000 } },
    ],
    [
      "rate_limit: {lines_per_second: 0.5, burst: 2000}",
      { rateLimit: { linesPerSecond: 0.5, burst: 2_000 } },
    ],
    [
      'redact: [secrets, {pattern: "x+"}, {pattern: y, replace: z}]',
      {
        redact: ["secrets", { pattern: "x+", replace: "***" }, { pattern: "y", replace: "z" }],
      },
    ],
    ["attributes: {team: shop}", { attributes: { team: "shop" } }],
  ])("are read: %s", (rules, expected) => {
    expect(settingsOf(rules)).toMatchObject(expected);
  });

  it("are printed as a file would have them", () => {
    const loaded = load('sample: 12.5%\nmultiline: {start: "^<", max_bytes: 64KiB}');
    expect(loaded.ok && loaded.value.plain).toMatchObject({
      sources: [
        {
          sample: "12.5%",
          multiline: { start: "^<", max_lines: 500, max_bytes: "64KiB", max_wait: "1s" },
        },
      ],
    });
  });

  it.each([
    ["multiline: jawa", "agent.yaml:3:16: sources[0].multiline: expected one of java, python"],
    ["multiline: {}", "give start, continue or both"],
    [
      'multiline: {start: "("}',
      "agent.yaml:3:24: sources[0].multiline.start: the pattern is invalid",
    ],
    ["multiline: {start: x, max_bytes: 1MiB}", "expected 1 B to 256KiB"],
    ["multiline: {start: x, max_wait: 2h}", "expected 1ms to 1h"],
    ["parse: {regex: x}", "the pattern names no field"],
    ["parse: xml", "expected one of json, logfmt, syslog, nginx, apache"],
    ["include_lines: '(?!x)'", "cannot be matched in linear time"],
    [String.raw`exclude_lines: ['a', '(a)\1']`, "cannot be matched in linear time"],
    ["exclude_lines: ''", "the pattern is empty"],
    ["severity: {field: lvl}", "add parse"],
    ["severity: {map: {W: warn}}", "add parse"],
    ["severity: {default: loud}", "expected a level"],
    ["sample: 0%", "expected a percentage such as 10%"],
    ["sample: 0.1", "expected a percentage such as 10%"],
    ["sample: {keep: 10%, unless: loud}", "expected a level"],
    ["rate_limit: {lines_per_second: 0}", "expected more than 0"],
    ["redact: [passwords]", "expected one of secrets, cards, email, tokens"],
    ["redact: [{pattern: 'a*'}]", "everywhere"],
    ["redakt: [secrets]", "did you mean redact?"],
  ])("are refused with what to do: %s", (rules, message) => {
    expect(problemsOf(rules)).toContain(message);
  });
});
