// How fast records are processed: `node bench/processing.ts [lines]`, 200,000 by default.
// prettier-ignore
import { availableParallelism, cpus } from "node:os";
import { performance } from "node:perf_hooks";
import type { ProcessingSettings } from "../src/agent-settings.ts";
import { Processor } from "../src/processing/processor.ts";
import type { SourceRecord } from "../src/record-feed.ts";
import { Stamper } from "../src/stamp/stamper.ts";

const SEED = 1;
const ROUNDS = 5;
const START_MS = Date.UTC(2026, 10, 22, 8, 0, 0);
const LINES_PER_SECOND = 5000;

interface Case {
  readonly name: string;
  readonly line: (timeMs: number, random: () => number) => string;
  readonly settings: ProcessingSettings;
}

/** Park and Miller's minimal standard generator, so that two runs process the same lines. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
}

const id = (random: () => number): number => Math.floor(random() * 1e6);

function json(timeMs: number, random: () => number): string {
  return JSON.stringify({
    time: new Date(timeMs).toISOString(),
    level: "info",
    msg: `request ${id(random)} of user ${id(random)} was answered from the cache`,
    method: "GET",
    path: `/orders/${id(random)}`,
    status: 200,
    durationMs: id(random) % 900,
    requestId: `${id(random)}-${id(random)}`,
  });
}

function text(timeMs: number, random: () => number): string {
  const rest = `Accepted publickey for deploy from 10.0.0.7 port ${id(random)} ssh2: ED25519 SHA256:${id(random)}abcdef${id(random)}`;
  return `${new Date(timeMs).toISOString()} web-1 sshd[${id(random) % 30_000}]: ${rest}`;
}

function access(timeMs: number, random: () => number): string {
  const clock = new Date(timeMs).toISOString().slice(11, 19);
  return `10.0.0.${id(random) % 256} - - [22/Nov/2026:${clock} +0000] "GET /orders/${id(random)} HTTP/1.1" 200 ${id(random)} "https://shop.example/" "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"`;
}

const plain = { fields: undefined, time: undefined };
const CASES: readonly Case[] = [
  { name: "attributes alone", line: text, settings: { attributes: { env: "prod" } } },
  { name: "parse json", line: json, settings: { parse: { format: "json", ...plain } } },
  {
    name: "parse json, redact secrets",
    line: json,
    settings: { parse: { format: "json", ...plain }, redact: ["secrets"] },
  },
  {
    name: "parse json, no fields, redact secrets",
    line: json,
    settings: { parse: { format: "json", fields: [], time: undefined }, redact: ["secrets"] },
  },
  { name: "parse syslog", line: text, settings: { parse: { format: "syslog", ...plain } } },
  { name: "parse nginx", line: access, settings: { parse: { format: "nginx", ...plain } } },
  {
    name: "parse regex",
    line: text,
    settings: {
      parse: {
        format: { regex: "^(?<time>\\S+) (?<host>\\S+) (?<app>\\w+)\\[(?<pid>\\d+)\\]: " },
        ...plain,
      },
    },
  },
  { name: "exclude one pattern", line: text, settings: { excludeLines: ["healthz|readyz"] } },
  { name: "redact secrets", line: text, settings: { redact: ["secrets"] } },
  { name: "redact cards", line: text, settings: { redact: ["cards"] } },
  { name: "redact email", line: text, settings: { redact: ["email"] } },
  { name: "redact tokens", line: text, settings: { redact: ["tokens"] } },
  {
    name: "redact all presets",
    line: text,
    settings: { redact: ["secrets", "cards", "email", "tokens"] },
  },
  { name: "sample 10%", line: text, settings: { sample: { keep: 0.1, unless: undefined } } },
];

function records(line: Case["line"], count: number): SourceRecord[] {
  const random = seeded(SEED);
  let offset = 0;
  return Array.from({ length: count }, (_, n) => {
    const body = Buffer.from(line(START_MS + Math.floor((n * 1000) / LINES_PER_SECOND), random));
    offset += body.length + 1;
    return { body, sourceBytes: body.length + 1, offset, cursor: () => new Uint8Array() };
  });
}

function run(all: readonly SourceRecord[], settings: ProcessingSettings): [number, number] {
  const processor = new Processor(new Stamper({ zone: 0 }), settings);
  const readAtUs = START_MS * 1000 + 3_600_000_000;
  let kept = 0;
  const begin = performance.now();
  for (const record of all) {
    if (processor.process(record, readAtUs) !== undefined) kept += 1;
  }
  return [performance.now() - begin, kept];
}

const count = Number(process.argv[2] ?? 200_000);
console.log(
  `${cpus()[0]?.model ?? "unknown processor"}, ${availableParallelism()} cores, Node ${process.version}, seed ${SEED}, best of ${ROUNDS}`,
);
const rows = CASES.map(({ name, line, settings }) => {
  const all = records(line, count);
  const runs = Array.from({ length: ROUNDS }, () => run(all, settings));
  const [elapsedMs, kept] = runs.reduce((a, b) => (b[0] < a[0] ? b : a));
  return {
    rules: name,
    "bytes/record": Math.round(all.reduce((sum, { body }) => sum + body.length, 0) / count),
    "ns/record": Math.round((elapsedMs * 1e6) / count),
    "records/s": Math.round(count / (elapsedMs / 1000)),
    kept: kept / count,
  };
});
console.table(rows);
