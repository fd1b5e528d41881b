import { createInterface } from "node:readline/promises";
import type { Command } from "@commander-js/extra-typings";
import { EXIT, Failure } from "@sluice/service";
import { formatDuration, formatSize, type Zone } from "@sluice/quantity";
import { type Filter, printFilter } from "@sluice/query";

import type { AdminSource } from "../client/admin-source.ts";
import type { DeletePreview, DeleteReport } from "../deletion/delete-report.ts";
import { createPrinter } from "../output/printer.ts";
import { Sink } from "../output/sink.ts";
import { formatCount, formatTable } from "../output/text-table.ts";
import { readFilter, readRange } from "../query/query-plan.ts";
import { hasColor, print, printJson, SOURCE_FLAGS, withAdminSource } from "./admin-options.ts";
import { FILTER_OUTPUT } from "./reading-command.ts";

const COLUMNS = [
  { title: "HOST", align: "left" },
  { title: "SOURCE", align: "left" },
  { title: "LINES", align: "right" },
] as const;

/** Nothing matched, or the answer was no. */
const NOTHING_DELETED = 1;

interface Flags {
  readonly yes: boolean;
  readonly dryRun: boolean;
  readonly wait: boolean;
  readonly json: boolean;
}

/** What is to go, as it was asked for. */
interface Wanted {
  readonly filter: Filter;
  readonly fromUs?: number | undefined;
  readonly untilUs?: number | undefined;
  readonly zone: Zone;
}

/** `sluice delete` */
export function addDelete(root: Command): void {
  root
    .command("delete")
    .configureOutput(FILTER_OUTPUT)
    .description(
      "delete what a filter matches, for good: shows it, asks, and takes it out of the files",
    )
    .argument("[filter...]", "which lines, as for query; without stages")
    .option("--since <time>", "from this event time on: 1h, yesterday, 08:00, 2026-11-22")
    .option("--until <time>", "before this event time")
    .option("--utc", "times are read and shown in UTC, not in the local zone")
    .option("--dry-run", "only show what would go", false)
    .option("--yes", "do not ask", false)
    .option("--wait", "return when it is gone from the files, not only hidden", false)
    .option("--data <dir>", "delete from this data folder, on which no collector runs")
    .option(...SOURCE_FLAGS.collector)
    .option(...SOURCE_FLAGS.tokenFile)
    .option(...SOURCE_FLAGS.ca)
    .option(...SOURCE_FLAGS.json)
    .action(async (words, options) => {
      const zone: Zone = options.utc === true ? "utc" : "local";
      const wanted = {
        filter: readFilter(words.join(" ")),
        ...readRange(options, Date.now() * 1000, zone),
        zone,
      };
      checkAsked(wanted, options);
      await withAdminSource(options, async (source) => {
        process.exitCode = await deleteWanted(source, wanted, options);
      });
    });
}

/** @throws Failure with exit code 2 where nobody could be asked, or everything would go by a slip */
function checkAsked(wanted: Wanted, { yes, dryRun }: Flags): void {
  if (yes || dryRun) {
    return;
  }
  if (isEverything(wanted)) {
    throw new Failure(
      "this would delete everything that is stored, of every host",
      "name what is to go by a filter, --since or --until; where you mean everything, say so with --yes",
      EXIT.usage,
    );
  }
  if (!process.stdin.isTTY) {
    throw new Failure(
      "there is no terminal to ask on, and nothing is deleted unasked",
      "look at what would go with --dry-run, then say --yes",
      EXIT.usage,
    );
  }
}

async function deleteWanted(source: AdminSource, wanted: Wanted, flags: Flags): Promise<number> {
  const { filter, fromUs, untilUs } = wanted;
  const preview = await source.previewDelete({ query: printFilter(filter), fromUs, untilUs });
  if (flags.json && flags.dryRun) {
    await printJson(preview);
    return preview.lines === 0 ? NOTHING_DELETED : EXIT.ok;
  }
  const shown = flags.json ? process.stderr : process.stdout;
  if (preview.lines > 0 && !(flags.json && flags.yes)) {
    await showPreview(preview, wanted, shown);
  }
  if (preview.lines === 0) {
    process.stderr.write("sluice: nothing matches: there is nothing to delete\n");
    return NOTHING_DELETED;
  }
  if (flags.dryRun) {
    return EXIT.ok;
  }
  const lines = formatLines(preview.lines);
  if (flags.yes && isEverything(wanted)) {
    process.stderr.write(`sluice: deleting EVERYTHING that is stored: ${lines} of every host\n`);
  }
  if (!flags.yes && !(await isConfirmed(`Delete ${lines}? There is no way back. [y/N] `))) {
    process.stderr.write("Nothing was deleted.\n");
    return NOTHING_DELETED;
  }
  const report = await source.delete({ confirm: preview.confirm, wait: flags.wait });
  await (flags.json ? printJson(report) : print(formatReport(report)));
  return EXIT.ok;
}

async function showPreview(
  preview: DeletePreview,
  { filter, zone }: Wanted,
  stream: NodeJS.WriteStream,
): Promise<void> {
  const sink = new Sink(stream);
  const isColored = stream.isTTY && hasColor();
  sink.write(`${formatPreview(preview, isColored)}\n${formatExamplesTitle(preview)}\n`);
  const printer = createPrinter({
    format: "pretty",
    sink,
    isTerminal: stream.isTTY,
    hasColor: isColored,
    zone,
    nowMs: Date.now(),
    fields: undefined,
    isTable: false,
    filter,
  });
  const rows = preview.examples.map((row) => `${JSON.stringify(row)}\n`);
  printer.print(Buffer.from(rows.join("")));
  printer.end();
  sink.write("\n");
  await sink.drained();
}

export function formatPreview(
  { lines, bytes, streams, streamCount }: DeletePreview,
  isColored: boolean,
): string {
  const rows = streams.map(({ host, source, lines: some }) => [host, source, formatCount(some)]);
  const more = streamCount - streams.length;
  const rest = more > 0 ? `and ${formatCount(more)} more\n` : "";
  const ofStreams = streamCount === 1 ? "1 stream" : `${formatCount(streamCount)} streams`;
  return `${formatLines(lines)}, ${formatSize(bytes)}, of ${ofStreams}:\n\n${formatTable(COLUMNS, rows, isColored)}${rest}`;
}

function formatExamplesTitle({ lines, examples }: DeletePreview): string {
  return examples.length < lines ? `The newest ${examples.length} of them:` : "They are:";
}

export function formatReport({ lines, isGone, tookMs }: DeleteReport): string {
  return isGone
    ? `Deleted ${formatLines(lines)}; they are gone from the files, in ${formatDuration(tookMs)}.\n`
    : `Deleted ${formatLines(lines)}: no query finds them any more. They are being taken out of the files; ` +
        "`sluice jobs` lists the delete when that is done.\n";
}

function formatLines(lines: number): string {
  return lines === 1 ? "1 line" : `${formatCount(lines)} lines`;
}

function isEverything({ filter, fromUs, untilUs }: Wanted): boolean {
  return filter.kind === "all" && fromUs === undefined && untilUs === undefined;
}

/** Whatever is not a yes is a no: an empty line, the end of the input, Ctrl-C. */
async function isConfirmed(question: string): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const closed = new AbortController();
  terminal.once("close", () => closed.abort());
  try {
    const answer = await terminal.question(question, { signal: closed.signal });
    return /^y(es)?$/i.test(answer.trim());
  } catch {
    process.stderr.write("\n");
    return false;
  } finally {
    terminal.close();
  }
}
