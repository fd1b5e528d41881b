import { type Command, Option } from "@commander-js/extra-typings";

import { FORMATS } from "../output/printer.ts";
import { planQuery } from "../query/query-plan.ts";
import { FILTER_OUTPUT, runReading } from "./reading-command.ts";
import { runTail } from "../query/tail-run.ts";

/** `sluice tail` */
export function addTail(root: Command): void {
  root
    .command("tail")
    .configureOutput(FILTER_OUTPUT)
    .description("show the newest records, then what arrives, through restarts of the collector")
    .argument("[filter...]", "as for `sluice query`")
    .option("-n, --lines <number>", "begin with the newest so many", "50")
    .option("--utc", "times are shown in UTC, not in the local zone")
    .addOption(new Option("-o, --output <format>", "format (default: pretty)").choices(FORMATS))
    .option("--fields <names>", "columns, with commas between: time,host,status")
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
            defaultLines: undefined,
          }),
        runTail,
      );
    });
}
