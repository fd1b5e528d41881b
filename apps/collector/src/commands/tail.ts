import { type Command, Option } from "@commander-js/extra-typings";
import { EXIT, Failure } from "@sluice/config";

import { resolveTarget } from "../context.ts";
import { openLogSource } from "../log-source.ts";
import { createPrinter, FORMATS } from "../output/printer.ts";
import { Sink } from "../output/sink.ts";
import { wantsColor } from "../output/style.ts";
import { planQuery } from "../query-plan.ts";
import { runTail } from "../tail-run.ts";
import { guarded } from "./query.ts";

/** `sluice tail` */
export function addTail(root: Command): void {
  root
    .command("tail")
    .description("show the newest records, then what arrives, through restarts of the collector")
    .argument("[filter...]", "as for `sluice query`", [])
    .option("-n, --lines <number>", "begin with the newest so many", "50")
    .option("--utc", "times are shown in UTC, not in the local zone")
    .addOption(new Option("-o, --output <format>", "format (default: pretty)").choices(FORMATS))
    .option("--fields <names>", "columns, with commas between: time,host,status")
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
          defaultLines: undefined,
        });
        const endless = plan.query.stages.find(({ kind }) => kind !== "fields");
        if (endless !== undefined || plan.format === "json") {
          throw new Failure(
            `${endless?.kind ?? "-o json"} needs an end, and a live view has none`,
            endless === undefined
              ? "take -o jsonl"
              : "follow with a filter alone, or use `sluice query`",
            EXIT.usage,
          );
        }
        await using source = openLogSource(await resolveTarget(options, process.env));
        const printer = createPrinter({
          ...plan,
          sink,
          isTerminal,
          hasColor: wantsColor({ flag: options.color, env: process.env, isTerminal }),
          nowMs: Date.now(),
          filter: plan.query.filter,
        });
        const signal = AbortSignal.any([interrupted, sink.closed]);
        return await runTail({ source, plan, printer, sink, signal, isWatched: false }, source);
      });
    });
}
