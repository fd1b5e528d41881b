import { type Command, Option } from "@commander-js/extra-typings";
import { formatDuration, formatSize } from "@sluice/quantity";
import { InvalidArgumentError } from "commander";

import type { JobReport } from "../api/admin-report.ts";
import { formatCount, formatTable } from "../output/text-table.ts";
import { hasColor, print, printJson, withAdminSource, withSourceOptions } from "./admin-options.ts";

const COLUMNS = [
  { title: "STARTED (UTC)", align: "left" },
  { title: "LATE", align: "right" },
  { title: "TOOK", align: "right" },
  { title: "KIND", align: "left" },
  { title: "FREED", align: "right" },
  { title: "WHAT", align: "left" },
] as const;

/** A day of them on a quiet collector; nobody reads more on a terminal. */
const SHOWN = 30;

/** Below this a job is not late: it is the time that its turn takes. */
const LATE_FROM_MS = 1_000;

/** `sluice jobs` */
export function addJobs(root: Command): void {
  withSourceOptions(
    root
      .command("jobs")
      .description("list what the collector did on its own account, the latest first")
      .option(
        "--kind <kind>",
        "only jobs of this kind: prune, compact, merge, rewrite, delete, ...",
      )
      .addOption(
        new Option(
          "-n, --lines <number>",
          "the latest so many (default: 30; in JSON all)",
        ).argParser(parseCount),
      ),
  ).action((options) =>
    withAdminSource(options, async (source) => {
      const { kind, lines, json } = options;
      const all = await source.jobs();
      const jobs = kind === undefined ? all : all.filter((job) => job.kind === kind);
      const shown = jobs.slice(0, lines ?? (json ? undefined : SHOWN));
      if (json) {
        await printJson(shown);
        return;
      }
      const more = jobs.length - shown.length;
      const rest = more > 0 ? `\n${formatCount(more)} earlier ones: -n shows more.\n` : "";
      await print(formatJobs(shown, hasColor(), process.stdout.columns) + rest);
    }),
  );
}

/** @param width of the terminal, in columns; undefined where lines may be as long as they are */
export function formatJobs(
  jobs: readonly JobReport[],
  isColored: boolean,
  width: number | undefined,
): string {
  if (jobs.length === 0) {
    return "No jobs yet: nothing had to be pruned or compacted.\n";
  }
  const rows = jobs.map((job) => {
    const lateMs = Date.parse(job.started) - Date.parse(job.due);
    const freed = freedBytes(job);
    return [
      job.started.slice(0, 19).replace("T", " "),
      lateMs < LATE_FROM_MS ? "-" : formatDuration(roughly(lateMs)),
      formatDuration(roughly(job.tookMs)),
      job.kind,
      freed === undefined ? "-" : formatSize(freed),
      [job.detail, ...describeOutcome(job)].join("; "),
    ];
  });
  return formatTable(COLUMNS, rows, isColored, width);
}

/** Two digits of a second are enough in a column. */
function roughly(ms: number): number {
  return ms < 1000 ? Math.round(ms) : ms < 60_000 ? Math.round(ms / 10) * 10 : wholeSeconds(ms);
}

function wholeSeconds(ms: number): number {
  return Math.round(ms / 1000) * 1000;
}

/** What came back to the disk; undefined for a job that takes nothing away, or that only moves it. */
function freedBytes({ kind, outcome }: JobReport): number | undefined {
  const { bytes, inputBytes, segmentBytes } = outcome;
  if (kind === "prune") {
    return bytes;
  }
  return inputBytes === undefined || segmentBytes === undefined
    ? undefined
    : Math.max(0, inputBytes - segmentBytes);
}

/** Figures that the detail or another column has already. */
const TOLD = new Set([
  "batches",
  "segments",
  "segmentParts",
  "inputs",
  "inputBytes",
  "rawBytes",
  "segmentBytes",
  "bytes",
]);

/** Records first, then what else the job counted. */
function describeOutcome({ outcome }: JobReport): string[] {
  const { rawBytes, segmentBytes } = outcome;
  const sizes =
    rawBytes === undefined || segmentBytes === undefined
      ? []
      : [`${formatSize(rawBytes)} of text in ${formatSize(segmentBytes)}`];
  const counts = Object.entries(outcome)
    .filter(([name]) => !TOLD.has(name))
    .map(([name, value]) =>
      name.endsWith("Bytes") ? `${name} ${formatSize(value)}` : `${formatCount(value)} ${name}`,
    );
  return [[...counts, ...sizes].join(", ")].filter((text) => text !== "");
}

function parseCount(text: string): number {
  if (!/^\d{1,9}$/.test(text)) {
    throw new InvalidArgumentError("expected a whole number.");
  }
  return Number(text);
}
