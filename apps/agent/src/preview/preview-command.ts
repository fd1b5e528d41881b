import { type Command, InvalidArgumentError, Option } from "@commander-js/extra-typings";
import { EXIT, Failure, stopSignal } from "@sluice/service";

import {
  MULTILINE_PRESETS,
  PARSE_FORMATS,
  REDACT_PRESETS,
} from "../processing/processing-settings.ts";
import { preview } from "./preview.ts";
import {
  type PreviewRules,
  type RuleFlags,
  rulesFromConfig,
  rulesFromFlags,
} from "./preview-rules.ts";

/** `sluice-agent preview FILE` */
export function addPreviewCommand(root: Command): void {
  const command = root
    .command("preview")
    .description("show live how a file would be framed and processed, and ship nothing")
    .argument("<file>", "log file")
    .option("--config <file>", "take the rules of the source in it that covers the file")
    .addOption(
      new Option("--multiline <preset>", "lines that are one record").choices(MULTILINE_PRESETS),
    )
    .addOption(new Option("--parse <format>", "fields of each record").choices(PARSE_FORMATS))
    .addOption(new Option("--redact <preset...>", "what is replaced").choices(REDACT_PRESETS))
    .option("--include-lines <pattern...>", "drop what none of them matches")
    .option("--exclude-lines <pattern...>", "drop what one of them matches")
    .option("-n, --lines <count>", "lines that are there to begin with", toCount, 10)
    .option("--no-follow", "end behind them")
    .exitOverride();
  command.action(async (path, options) => {
    const { config, lines, follow, ...flags } = options;
    const isTerminal = process.stdout.isTTY;
    const abort = new AbortController();
    void stopSignal().then((signal) => abort.abort(signal));
    process.stdout.once("error", (error: unknown) => abort.abort(error)); // such as `| head`
    await preview({
      path,
      lines,
      follows: follow,
      rules: await chooseRules(path, config, flags),
      hasColor: isTerminal && (process.env["NO_COLOR"] ?? "") === "",
      write: (text) => process.stdout.write(text),
      signal: abort.signal,
    });
  });
}

async function chooseRules(
  path: string,
  config: string | undefined,
  flags: RuleFlags,
): Promise<PreviewRules> {
  if (config === undefined) {
    return rulesFromFlags(flags);
  }
  if (Object.keys(flags).length > 0) {
    throw new Failure(
      "rules come from --config or from flags, not from both",
      "leave one of them out",
      EXIT.usage,
    );
  }
  return await rulesFromConfig(config, path, process.env);
}

function toCount(text: string): number {
  if (!/^\d{1,6}$/.test(text)) {
    throw new InvalidArgumentError("expected a number of lines, such as 10");
  }
  return Number(text);
}
