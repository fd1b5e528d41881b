import { parseArgs } from "node:util";
import { parseSize } from "@sluice/quantity";

import { benchIngest } from "./ingest.ts";
import { printReport } from "./report.ts";

const USAGE = `usage: pnpm bench NAME [--size 200MB] [--repeats 3] [--no-baseline] [--json]

  ingest   a file tailed, shipped and stored durably, beside a naive baseline
`;

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    size: { type: "string", default: "200MB" },
    repeats: { type: "string", default: "3" },
    "no-baseline": { type: "boolean", default: false },
    json: { type: "boolean", default: false },
  },
});
const size = parseSize(values.size);
const repeats = Number(values.repeats);
if (positionals[0] !== "ingest" || positionals.length > 1) {
  process.stderr.write(USAGE);
  process.exitCode = 2;
} else if (!size.ok || !Number.isInteger(repeats) || repeats < 1) {
  process.stderr.write(`--size: ${size.ok ? "ok" : size.error}; --repeats: a number from 1\n`);
  process.exitCode = 2;
} else {
  const sizeBytes: number = size.value;
  const report = await benchIngest({ sizeBytes, repeats, withBaseline: !values["no-baseline"] });
  printReport(report, values.json);
}
