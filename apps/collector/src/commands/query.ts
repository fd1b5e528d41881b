import { type Command, Option } from "@commander-js/extra-typings";
import { EXIT } from "@sluice/config";

import { resolveTarget } from "../context.ts";
import { openLogSource } from "../log-source.ts";
import { createPrinter, FORMATS } from "../output/printer.ts";
import { isClosedPipe, Sink } from "../output/sink.ts";
import { wantsColor } from "../output/style.ts";
import { planQuery } from "../query-plan.ts";
import {
  NOTHING_FOUND,
  type QueryRun,
  runCount,
  runExplain,
  runQuery,
  suggest,
} from "../query-run.ts";
import { report } from "../report.ts";
import { runTail } from "../tail-run.ts";

/** Newest rows on a terminal where nobody said how many. */
const TERMINAL_LINES = 100;

/** Exit codes as grep's. */
const QUERY_FAILED = 2;
const INTERRUPTED = 130;

/** `sluice query` */
export function addQuery(root: Command): void {
  root
    .command("query")
    .description("find records; docs/query-language.md shows what can be asked")
    .argument("[filter...]", 'words, "phrases", /patterns/, field:value; stages behind |', [])
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
    .option("--color", "colours also where the output is no terminal")
    .option("--no-color", "no colours; as NO_COLOR does")
    .option("--data <dir>", "read this data folder, without a collector")
    .option("--collector <url>", "ask this collector")
    .option("--token-file <file>", "file that holds the query token")
    .action(async (words, options) => {
      process.exitCode = await guarded(async (interrupted) => {
        const isTerminal = process.stdout.isTTY;
        const sink = new Sink(process.stdout);
        const plan = planQuery(words.join(" "), options, {
          isTerminal,
          nowUs: Date.now() * 1000,
          defaultLines: TERMINAL_LINES,
        });
        await using source = openLogSource(await resolveTarget(options, process.env));
        const run: QueryRun = {
          source,
          plan,
          sink,
          isWatched: process.stderr.isTTY,
          signal: AbortSignal.any([interrupted, sink.closed]),
          printer: createPrinter({
            ...plan,
            sink,
            isTerminal,
            hasColor: wantsColor({ flag: options.color, env: process.env, isTerminal }),
            nowMs: Date.now(),
            filter: plan.query.filter,
          }),
        };
        if (options.count === true) {
          return await runCount(run);
        }
        if (options.explain === true) {
          return await runExplain(run);
        }
        if (options.follow === true) {
          return await runTail(run, source);
        }
        const summary = await runQuery(run);
        if (summary.damaged > 0) {
          process.stderr.write(`sluice: ${summary.damaged} damaged blocks could not be read\n`);
        }
        if (summary.rows === 0) {
          process.stderr.write(`sluice: ${await suggest(run, summary)}\n`);
          return NOTHING_FOUND;
        }
        return EXIT.ok;
      });
    });
}

/** Runs to an exit code: Ctrl-C stops the search, a reader that has seen enough ends it quietly. */
export async function guarded(run: (interrupted: AbortSignal) => Promise<number>): Promise<number> {
  const interrupted = new AbortController();
  const interrupt = (): void => interrupted.abort();
  process.once("SIGINT", interrupt);
  process.stdout.on("error", () => undefined); // the sink reports it
  try {
    return await run(interrupted.signal);
  } catch (error) {
    if (interrupted.signal.aborted) {
      return INTERRUPTED;
    }
    if (isClosedPipe(error) || isClosedPipe(process.stdout.errored)) {
      return EXIT.ok;
    }
    report(error);
    return QUERY_FAILED;
  } finally {
    process.off("SIGINT", interrupt);
  }
}
