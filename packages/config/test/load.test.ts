import { describe, expect, test } from "vitest";
import * as z from "zod";
import { loadConfig } from "../src/load.ts";
import type { LoadedConfig } from "../src/load.ts";
import { formatOrigin } from "../src/origin.ts";
import type { FlagValues } from "../src/override.ts";
import { formatProblem } from "../src/problem.ts";
import { collectorSchema } from "./collector-schema.ts";

interface Given {
  readonly env?: Record<string, string>;
  readonly flags?: FlagValues;
}

function load(text: string | undefined, given: Given = {}): ReturnType<typeof loadCollector> {
  return loadCollector(text, given);
}

function loadCollector(text: string | undefined, given: Given) {
  return loadConfig({
    schema: collectorSchema,
    text,
    file: "collector.yaml",
    env: given.env ?? {},
    envPrefix: "SLUICE_",
    flags: given.flags ?? {},
  });
}

function problems(text: string | undefined, given?: Given): string[] {
  const result = load(text, given);
  return result.ok ? [] : result.error.map(formatProblem);
}

function loaded(
  text: string | undefined,
  given?: Given,
): LoadedConfig<z.output<typeof collectorSchema>> {
  const result = load(text, given);
  if (!result.ok) {
    throw new Error(result.error.map(formatProblem).join("\n"));
  }
  return result.value;
}

describe("values", () => {
  test("come from the file, in the shape that the schema gives them", () => {
    const { value } = loaded(`
data_dir: /var/lib/sluice
upstream: [a, b]
retention:
  keep: 1h30m
  max_size: 50GB
  rules:
    - match: {host: "db-*", env: prod, "k8s.pod": x}
      keep: 365d
labels: {env: prod}
sources:
  - file: [/var/log/syslog]
    start: end
  - journald: {}
`);
    expect(value).toEqual({
      listen: "127.0.0.1:7514",
      data_dir: "/var/lib/sluice",
      read_only: false,
      workers: 2,
      order: "time",
      upstream: ["a", "b"],
      retention: {
        keep: 5_400_000,
        max_size: 50e9,
        rules: [{ match: { host: "db-*", env: "prod", "k8s.pod": "x" }, keep: 365 * 86_400_000 }],
      },
      labels: { env: "prod" },
      sources: [{ file: ["/var/log/syslog"], start: "end" }, { journald: {} }],
    });
  });

  test("take a word that stands beside a quantity, and a size as a bare number", () => {
    const { value } = loaded("data_dir: d\nretention: {keep: forever, max_size: 1024}\n");
    expect(value.retention).toEqual({ keep: "forever", max_size: 1024, rules: [] });
  });

  test.each([undefined, "", "# nothing yet\n"])("are the defaults where the text is %j", (text) => {
    const { value } = loaded(text, { flags: { "data-dir": "/d" } });
    expect(value.retention.keep).toBe(30 * 86_400_000);
  });

  test("are the defaults in a section whose lines are all commented out", () => {
    const { value } = loaded("data_dir: d\nretention:\n  # keep: 7d\nsources:\n  - journald:\n");
    expect(value.retention.keep).toBe(30 * 86_400_000);
    expect(value.sources).toEqual([{ journald: {} }]);
  });
});

describe("precedence", () => {
  const text = "data_dir: file\nretention:\n  max_size: 1GB\n";

  test.each([
    [{}, 1e9, "collector.yaml:3"],
    [{ env: { SLUICE_RETENTION_MAX_SIZE: "2GB" } }, 2e9, "environment SLUICE_RETENTION_MAX_SIZE"],
    [
      {
        env: { SLUICE_RETENTION_MAX_SIZE: "2GB" },
        flags: { "retention-max-size": "3GB" },
      },
      3e9,
      "flag --retention-max-size",
    ],
    [{ env: { SLUICE_RETENTION_MAX_SIZE: "" } }, 1e9, "collector.yaml:3"],
    [{ flags: { "retention-max-size": undefined } }, 1e9, "collector.yaml:3"],
  ] satisfies [Given, number, string][])("with %j gives %d from %s", (given, bytes, origin) => {
    const { value, origins } = loaded(text, given);
    const found = origins.get("retention.max_size");
    expect(value.retention.max_size).toBe(bytes);
    expect(found && formatOrigin(found)).toBe(origin);
  });

  test("puts a variable below a section that the file does not have", () => {
    const { value } = loaded("data_dir: d\n", { env: { SLUICE_RETENTION_KEEP: "forever" } });
    expect(value.retention.keep).toBe("forever");
  });

  test("gives every scalar an origin, in lists and under free keys too", () => {
    const { origins } = loaded(
      "data_dir: d\nlabels:\n  a.b: x\nsources:\n  - file:\n      - /a\n      - /b\n",
      { flags: { workers: 4 } },
    );
    expect(
      Object.fromEntries([...origins].map(([key, from]) => [key, formatOrigin(from)])),
    ).toEqual({
      listen: "default",
      data_dir: "collector.yaml:1",
      read_only: "default",
      workers: "flag --workers",
      order: "default",
      "retention.keep": "default",
      'labels["a.b"]': "collector.yaml:3",
      "sources[0].file[0]": "collector.yaml:6",
      "sources[0].file[1]": "collector.yaml:7",
    });
  });
});

describe("flags and variables", () => {
  test.each([
    ["SLUICE_READ_ONLY", "true", { read_only: true }],
    ["SLUICE_WORKERS", "8", { workers: 8 }],
    ["SLUICE_DATA_DIR", "8", { data_dir: "8" }],
    ["SLUICE_DATA_DIR", "true", { data_dir: "true" }],
    ["SLUICE_UPSTREAM", "ws://a", { upstream: "ws://a" }],
  ])("%s=%s is read as the schema wants it", (variable, text, expected) => {
    const { value } = loaded("data_dir: d\n", { env: { [variable]: text } });
    expect(value).toMatchObject(expected);
  });

  test.each([
    [{ env: { SLUICE_WORKERS: "0" } }, "environment SLUICE_WORKERS: workers: expected at least 1"],
    [{ env: { SLUICE_WORKERS: "many" } }, "environment SLUICE_WORKERS: workers: expected a number"],
    [
      { env: { SLUICE_RETENTION_KEEP: "soon" } },
      "environment SLUICE_RETENTION_KEEP: retention.keep: expected forever or a duration such as 7d or 1h30m",
    ],
    [{ flags: { order: "up" } }, "flag --order: order: expected one of time, stream"],
    [{ flags: { "read-only": "1" } }, "flag --read-only: read_only: expected true or false"],
  ] satisfies [Given, string][])("name themselves in a problem: %j", (given, expected) => {
    expect(problems("data_dir: d\n", given)).toEqual([expected]);
  });

  test("a variable that nearly names a setting is a warning, others are nobody's business", () => {
    const { warnings } = loaded("data_dir: d\n", {
      env: {
        SLUICE_RETENTON_MAX_SIZE: "1GB",
        SLUICE_TOKEN: "t",
        SLUICE_LOGHUB: "/x",
        SLUICE_AGENT_STATE_DIR: "/y",
        RETENTION_KEP: "1d",
      },
    });
    expect(warnings.map(formatProblem)).toEqual([
      "environment SLUICE_RETENTON_MAX_SIZE: no setting has this name (did you mean SLUICE_RETENTION_MAX_SIZE?)",
    ]);
  });

  test("a flag that no setting has is the caller's mistake", () => {
    expect(() => load("data_dir: d\n", { flags: { retention: "x" } })).toThrow(
      new TypeError("no setting has the flag --retention"),
    );
  });
});

describe("problems", () => {
  test.each([
    [
      "data_dir: d\nretention:\n  keep: soon\n",
      "collector.yaml:3:9: retention.keep: expected forever or a duration such as 7d or 1h30m",
    ],
    [
      "data_dir: d\nretention:\n  keep: 7\n",
      "collector.yaml:3:9: retention.keep: expected forever or a duration such as 7d or 1h30m",
    ],
    [
      "data_dir: d\nretention:\n  keep: [7d]\n",
      "collector.yaml:3:9: retention.keep: expected forever or a duration such as 7d or 1h30m",
    ],
    [
      "data_dir: d\nretention:\n  keep: 200000000d\n",
      "collector.yaml:3:9: retention.keep: the duration is too long (the limit is 285,000 years)",
    ],
    [
      "data_dir: d\nretention: {max_size: 50G}\n",
      "collector.yaml:2:23: retention.max_size: expected a size such as 50GB or 512MiB; units are B, kB, MB, GB, TB and KiB, MiB, GiB, TiB",
    ],
    [
      "data_dir: d\nretention:\n  rules:\n    - match: {host: a}\n      keep: 1x\n",
      "collector.yaml:5:13: retention.rules[0].keep: expected a duration such as 7d or 1h30m",
    ],
    ["data_dir: 5\n", "collector.yaml:1:11: data_dir: expected a text (put quotes around it)"],
    [
      "data_dir:\n",
      "collector.yaml:1:10: data_dir: expected a text (the value is empty; remove the key to have the default)",
    ],
    ["data_dir: d\nlisten: ''\n", "collector.yaml:2:9: listen: expected at least 1 character"],
    ["data_dir: d\nworkers: 65\n", "collector.yaml:2:10: workers: expected at most 64"],
    ["data_dir: d\nworkers: 1.5\n", "collector.yaml:2:10: workers: expected a whole number"],
    ["data_dir: d\nupstream: []\n", "collector.yaml:2:11: upstream: expected at least 1 entry"],
    ["data_dir: d\nupstream: {}\n", "collector.yaml:2:11: upstream: expected a text or a list"],
    [
      "data_dir: d\nupstream: [a, 3]\n",
      "collector.yaml:2:15: upstream[1]: expected a text (put quotes around it)",
    ],
    [
      "data_dir: d\nlabels: {a: 1}\n",
      "collector.yaml:2:13: labels.a: expected a text (put quotes around it)",
    ],
    ["data_dir: d\nretention: 5\n", "collector.yaml:2:12: retention: expected a mapping"],
    ["data_dir: d\nsources: {}\n", "collector.yaml:2:10: sources: expected a list"],
    ["- data_dir\n", "collector.yaml:1:1: expected a mapping"],
    [
      "listen: a\n",
      "collector.yaml:1:1: data_dir: missing; expected a text (set it in the file, with --data-dir or with SLUICE_DATA_DIR)",
    ],
    [
      "data_dir: d\nsources:\n  - syslog: {}\n",
      "collector.yaml:3:5: sources[0].syslog.listen: missing; expected a text",
    ],
  ])("of a value stand at the value: %j", (text, expected) => {
    expect(problems(text)).toEqual([expected]);
  });

  test.each([
    ["data_dir: d\nlistn: a\n", "collector.yaml:2:1: listn: unknown key (did you mean listen?)"],
    [
      "data_dir: d\nretention:\n  maxSize: 1GB\n",
      "collector.yaml:3:3: retention.maxSize: unknown key (did you mean max_size?)",
    ],
    [
      "data_dir: d\nmax_size: 1GB\n",
      "collector.yaml:2:1: max_size: unknown key (did you mean retention.max_size?)",
    ],
    [
      "data_dir: d\nretention:\n  colour: red\n",
      "collector.yaml:3:3: retention.colour: unknown key (known here: keep, max_size, rules)",
    ],
    [
      "data_dir: d\nretention:\n  rules:\n    - match: {}\n    - macth: {}\n      match: {}\n",
      "collector.yaml:5:7: retention.rules[1].macth: unknown key (did you mean match?)",
    ],
    [
      "data_dir: d\nsources:\n  - file: /a\n    strat: end\n",
      "collector.yaml:4:5: sources[0].strat: unknown key (did you mean start?)",
    ],
    [
      "data_dir: d\nsources:\n  - jurnald: {}\n",
      "collector.yaml:3:5: sources[0].jurnald: unknown key (did you mean journald?)",
    ],
    [
      "data_dir: d\nsources:\n  - syslog: {listen: a, lisen: b}\n",
      "collector.yaml:3:25: sources[0].syslog.lisen: unknown key (did you mean listen?)",
    ],
  ])("of an unknown key stand at the key, with what was meant: %j", (text, expected) => {
    expect(problems(text)).toEqual([expected]);
  });

  test("a key named __proto__ is as unknown as any other", () => {
    expect(problems("data_dir: d\n__proto__: {listen: x}\n")).toEqual([
      expect.stringMatching(/^collector\.yaml:2:1: __proto__: unknown key/),
    ]);
  });

  test("in a branch of a union are those of the branch that was meant", () => {
    expect(problems("data_dir: d\nsources:\n  - file: 3\n  - file: /a\n    start: 24h\n")).toEqual([
      "collector.yaml:3:11: sources[0].file: expected a text or a list (put quotes around it)",
      "collector.yaml:5:12: sources[1].start: expected one of end, beginning",
    ]);
  });

  test("are all given at once, in the order of the file", () => {
    expect(
      problems("workers: x\nretention:\n  kep: 1d\n  keep: soon\nlistn: a\n", {
        flags: { order: "up" },
      }).map((line) => line.slice(0, line.indexOf(": "))),
    ).toEqual([
      "flag --order",
      "collector.yaml:1:1",
      "collector.yaml:1:10",
      "collector.yaml:3:3",
      "collector.yaml:4:9",
      "collector.yaml:5:1",
    ]);
  });

  test("of what is missing without a file name the ways to give it", () => {
    expect(problems(undefined)).toEqual([
      "data_dir: missing; expected a text (set it in the file, with --data-dir or with SLUICE_DATA_DIR)",
    ]);
  });

  test("of a scalar in the place of a section are told although a variable goes below it", () => {
    expect(
      problems("data_dir: d\nretention: 5\n", { env: { SLUICE_RETENTION_KEEP: "1d" } }),
    ).toEqual(["collector.yaml:2:12: retention: expected a mapping"]);
  });
});

test("a condition that a schema puts between values speaks for itself", () => {
  const schema = z
    .strictObject({
      collector: z.string(),
      token_file: z.string().optional(),
      mode: z.strictObject({}),
    })
    .refine((value) => value.token_file !== undefined, {
      path: ["token_file"],
      message: "needed, because the collector is not on this machine",
    });
  const given = { schema, file: "agent.yaml", env: {}, envPrefix: "SLUICE_AGENT_", flags: {} };
  const failed = loadConfig({ ...given, text: "collector: wss://far\nmode: {}\n" });
  expect(failed.ok ? [] : failed.error.map(formatProblem)).toEqual([
    "agent.yaml:1:1: token_file: needed, because the collector is not on this machine",
  ]);
  const unknown = loadConfig({ ...given, text: "collector: c\ntoken_file: t\nmode: {fast: 1}\n" });
  expect(unknown.ok ? [] : unknown.error.map(formatProblem)).toEqual([
    "agent.yaml:3:8: mode.fast: unknown key (nothing may stand here)",
  ]);
});

describe("faults of the text", () => {
  test.each([
    ["listen: a\ndata_dir: d\nlisten: b\n", "collector.yaml:3:1: this key is already given above"],
    [
      "listen: a\n\tdata_dir: d\n",
      "collector.yaml:2:1: tabs are not allowed as indentation; use spaces",
    ],
    ["listen: 'a\n", "collector.yaml:2:1: missing closing 'quote"],
    [
      "listen: a: b\n",
      'collector.yaml:1:9: expected one value here; check the indentation, and quote a text that holds ": "',
    ],
    [
      "listen: a\n---\nlisten: b\n",
      "collector.yaml:2:1: only one document is allowed; remove this ---",
    ],
    ["listen: !secret a\n", "collector.yaml:1:9: unresolved tag: !secret"],
    [
      "listen: &l a\ndata_dir: *l\n",
      "collector.yaml:2:11: data_dir: aliases are not supported; write the value out",
    ],
    ["a: &x [*x]\n", "collector.yaml:1:8: a[0]: aliases are not supported; write the value out"],
    ["[a]: b\n", "collector.yaml:1:1: a key must be one word or a quoted text"],
  ])("have a line and a column: %j", (text, expected) => {
    expect(problems(text)[0]).toBe(expected);
  });
});

describe("schemas that would mislead", () => {
  const options = { text: "", file: "f", env: {}, envPrefix: "", flags: {} };

  test.each([
    [z.object({ a: z.string() }), "the schema drops unknown keys at its root"],
    [
      z.strictObject({ a: z.strictObject({ b: z.object({}) }).optional() }),
      "the schema drops unknown keys at a.b",
    ],
    [
      z.strictObject({ a: z.array(z.union([z.string(), z.object({})])) }),
      "the schema drops unknown keys at a[0]",
    ],
    [
      z.strictObject({ a_b: z.string(), a: z.strictObject({ b: z.string() }) }),
      "a_b and a.b would share --a-b",
    ],
  ])("are refused", (schema: z.ZodObject, message) => {
    expect(() => loadConfig({ ...options, schema })).toThrow(new TypeError(message));
  });
});
