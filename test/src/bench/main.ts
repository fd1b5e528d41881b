import { parseArgs } from "node:util";
import { parseSize } from "@sluice/quantity";

import { benchIngest } from "./ingest.ts";
import { benchPrune } from "./prune.ts";
import { benchQuery } from "./query.ts";
import { printReport, type Report } from "./report.ts";
import { benchSize } from "./size.ts";
import { benchStore } from "./store.ts";

const USAGE = `usage: pnpm bench NAME [--size 200MB] [--repeats 3] [--no-baseline] [--fresh] [--json]

  ingest   a file tailed, shipped and stored durably, beside a naive baseline
  store    batches ready in memory, made durable, beside the disk on its own and rows in SQLite
  size     bytes on disk of many kinds of log, beside zstd -3
  prune    a day pruned while logs come in
  query    questions asked of a stored corpus, beside zstd -dc | grep
           (--fresh: makes the corpus anew instead of taking that of an earlier run)
`;

interface BenchOptions {
  readonly sizeBytes: number;
  readonly repeats: number;
  readonly withBaseline: boolean;
  readonly isFresh: boolean;
}

const BENCHES = new Map<string, (options: BenchOptions) => Promise<Report>>([
  ["ingest", benchIngest],
  ["query", benchQuery],
  ["store", benchStore],
  ["size", benchSize],
  ["prune", benchPrune],
]);

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    size: { type: "string", default: "200MB" },
    repeats: { type: "string", default: "3" },
    "no-baseline": { type: "boolean", default: false },
    fresh: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
  },
});
const size = parseSize(values.size);
const repeats = Number(values.repeats);
const bench = BENCHES.get(positionals[0] ?? "");
if (bench === undefined || positionals.length > 1) {
  process.stderr.write(USAGE);
  process.exitCode = 2;
} else if (!size.ok || !Number.isInteger(repeats) || repeats < 1) {
  process.stderr.write(`--size: ${size.ok ? "ok" : size.error}; --repeats: a number from 1\n`);
  process.exitCode = 2;
} else {
  const report = await bench({
    sizeBytes: size.value,
    repeats,
    withBaseline: !values["no-baseline"],
    isFresh: values.fresh,
  });
  printReport(report, values.json);
}
