import { parseSize } from "@sluice/quantity";

import { readCommandLine } from "../command-line.ts";
import { benchCatchUp } from "./catch-up.ts";
import { benchFleet } from "./fleet.ts";
import { benchFootprint } from "./footprint.ts";
import { benchFreshness } from "./freshness.ts";
import { benchIngest } from "./ingest.ts";
import { benchPrune } from "./prune.ts";
import { benchQuery } from "./query.ts";
import { benchLoad } from "./load.ts";
import { printReport, type Report } from "./report.ts";
import { benchSize } from "./size.ts";
import { benchStore } from "./store.ts";

const USAGE = `usage: pnpm bench NAME [--size 200MB] [--repeats 3] [--no-baseline] [--fresh] [--json]
       pnpm bench load [--minutes 2] [--rate 50MB]
       pnpm bench freshness|agent [--minutes 2] [--steady 2]
       pnpm bench fleet [--agents 1000] [--restarts 1] [--minutes 2]

  ingest   a file tailed, shipped and stored durably, beside a naive baseline
  store    batches ready in memory, made durable, beside the disk on its own and rows in SQLite
  size     bytes on disk of many kinds of log, beside zstd -3
  prune    a day pruned while logs come in
  load     a collector under ingest, then heavy queries, then a prune: event loop, memory, head
  catchup  a large file caught up with, while lines of another come in
  freshness  a line written, until \`sluice tail\` prints it
  agent    memory and processor of an agent, idle and through an outage, beside rsyslog
            (--minutes: of the outage, by volume; --steady: shortens the other parts to that)
  fleet    many light agents with a line a second each, and a restart of their collector
  query    questions asked of a stored corpus, beside zstd -dc | grep
           (--fresh: makes the corpus anew instead of taking that of an earlier run)
`;

interface BenchOptions {
  readonly sizeBytes: number;
  readonly repeats: number;
  readonly withBaseline: boolean;
  readonly isFresh: boolean;
  readonly minutes: number;
  readonly steadyMinutes: number | undefined;
  readonly rateBytes: number;
  readonly agents: number;
  readonly restarts: number;
}

const BENCHES = new Map<string, (options: BenchOptions) => Promise<Report>>([
  ["ingest", benchIngest],
  ["catchup", benchCatchUp],
  ["freshness", benchFreshness],
  ["agent", benchFootprint],
  ["fleet", benchFleet],
  ["query", benchQuery],
  ["load", benchLoad],
  ["store", benchStore],
  ["size", benchSize],
  ["prune", benchPrune],
]);

const OPTIONS = {
  size: { type: "string", default: "200MB" },
  repeats: { type: "string", default: "3" },
  "no-baseline": { type: "boolean", default: false },
  minutes: { type: "string", default: "2" },
  steady: { type: "string" },
  rate: { type: "string", default: "50MB" },
  agents: { type: "string", default: "1000" },
  restarts: { type: "string", default: "1" },
  fresh: { type: "boolean", default: false },
  help: { type: "boolean", default: false },
  json: { type: "boolean", default: false },
} as const;

/** Runs a benchmark by name; returns the exit code: 0 printed, 2 wrong usage. */
async function main(): Promise<number> {
  const commandLine = readCommandLine(OPTIONS);
  if (commandLine === undefined || commandLine.values.help) {
    process.stderr.write(USAGE);
    return commandLine === undefined ? 2 : 0;
  }
  const { positionals, values } = commandLine;
  const size = parseSize(values.size);
  const rate = parseSize(values.rate);
  const repeats = Number(values.repeats);
  const minutes = Number(values.minutes);
  const steadyMinutes = values.steady === undefined ? undefined : Number(values.steady);
  const bench = BENCHES.get(positionals[0] ?? "");
  if (bench === undefined || positionals.length > 1) {
    process.stderr.write(USAGE);
    return 2;
  }
  if (!size.ok || !rate.ok) {
    process.stderr.write(`${size.ok ? "--rate" : "--size"}: a size such as 200MB\n`);
    return 2;
  }
  if (!Number.isInteger(repeats) || repeats < 1 || !(minutes > 0) || !((steadyMinutes ?? 1) > 0)) {
    process.stderr.write("--repeats: a number from 1; --minutes, --steady: a number above 0\n");
    return 2;
  }
  const agents = Number(values.agents);
  const restarts = Number(values.restarts);
  if (!Number.isInteger(agents) || agents < 1 || !Number.isInteger(restarts) || restarts < 0) {
    process.stderr.write("--agents: a number from 1; --restarts: a number from 0\n");
    return 2;
  }
  const report = await bench({
    sizeBytes: size.value,
    repeats,
    withBaseline: !values["no-baseline"],
    isFresh: values.fresh,
    minutes,
    steadyMinutes,
    rateBytes: rate.value,
    agents,
    restarts,
  });
  printReport(report, values.json);
  return 0;
}

process.exitCode = await main();
