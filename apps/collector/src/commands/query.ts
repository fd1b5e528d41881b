import { type Command, Option } from "@commander-js/extra-typings";

import { FORMATS } from "../output/printer.ts";
import { planQuery } from "../query/query-plan.ts";
import { exitCode, runCount, runExplain, runQuery, suggest } from "../query/query-run.ts";
import { FILTER_OUTPUT, type Reading, runReading } from "./reading-command.ts";
import { runTail } from "../query/tail-run.ts";

/** Newest rows on a terminal where nobody said how many. */
const TERMINAL_LINES = 100;

/** `sluice query` */
export function addQuery(root: Command): void {
  root
    .command("query")
    .configureOutput(FILTER_OUTPUT)
    .description("find records; docs/query-language.md shows what can be asked")
    .argument("[filter...]", 'words, "phrases", /patterns/, field:value; stages behind |')
    .option("--since <time>", "from this event time on: 1h, yesterday, 08:00, 2026-11-22")
    .option("--until <time>", "before this event time")
    .option("--utc", "times are read and shown in UTC, not in the local zone")
    .option("-n, --lines <number>", "the newest so many (default: 100 on a terminal)")
    .option("--all", "all of them (default where the output is no terminal)")
    .addOption(new Option("--order <order>", "order of rows").choices(["time", "stream"]))
    .option("--reverse", "newest first")
    .addOption(new Option("-o, --output <format>", "format (default: pretty)").choices(FORMATS))
    .option("--fields <names>", "columns, with commas between: time,host,status")
    .option("--count", "the number of records alone")
    .option("--explain", "what the search had to read, in place of the rows")
    .option("-f, --follow", "go on with what arrives")
    .option("--timeout <duration>", "give up after this (default: 10m)")
    .option(
      "--max-read <size>",
      "give up after reading so much: 10GB, uncompressed (default: no limit)",
    )
    .option("--color", "colours also where the output is no terminal")
    .option("--no-color", "no colours; as NO_COLOR does")
    .option("--data <dir>", "read this data folder, without a collector")
    .option("--collector <url>", "ask this collector")
    .option("--token-file <file>", "file that holds the query token")
    .option("--ca <file>", "authority that the collector's certificate must be signed by")
    .action(async (words, options) => {
      process.exitCode = await runReading(
        options,
        (isTerminal) =>
          planQuery(words.join(" "), options, {
            isTerminal,
            nowUs: Date.now() * 1000,
            defaultLines: TERMINAL_LINES,
          }),
        (reading) => {
          if (options.count === true) {
            return runCount(reading);
          }
          if (options.explain === true) {
            return runExplain(reading);
          }
          return options.follow === true ? runTail(reading) : findAndPrint(reading);
        },
      );
    });
}

async function findAndPrint(reading: Reading): Promise<number> {
  const summary = await runQuery(reading);
  if (summary.rows === 0) {
    process.stderr.write(`sluice: ${await suggest(reading, summary)}\n`);
  }
  return exitCode(summary.rows, summary);
}
