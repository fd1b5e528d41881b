import type { Command } from "@commander-js/extra-typings";
import { formatSize } from "@sluice/quantity";

import { formatPlaces, type PlanReport } from "../retention/retention-report.ts";
import { formatCount, formatTable } from "../output/text-table.ts";
import { hasColor, print, printJson, SOURCE_FLAGS, withAdminSource } from "./admin-options.ts";

const COLUMNS = [
  { title: "RULE", align: "left" },
  { title: "REASON", align: "left" },
  { title: "BATCHES", align: "right" },
  { title: "SEGMENTS", align: "right" },
  { title: "RECORDS", align: "right" },
  { title: "BYTES", align: "right" },
  { title: "OLDEST (UTC)", align: "left" },
  { title: "NEWEST (UTC)", align: "left" },
] as const;

/** `sluice retention` */
export function addRetention(root: Command): void {
  root
    .command("retention")
    .description("look at the retention policy at work")
    .command("plan")
    .description("say what a prune would drop now and why; changes nothing")
    .option(...SOURCE_FLAGS.data)
    .option("--config <file>", "with --data: the configuration whose policy is looked at")
    .option(...SOURCE_FLAGS.collector)
    .option(...SOURCE_FLAGS.tokenFile)
    .option(...SOURCE_FLAGS.ca)
    .option(...SOURCE_FLAGS.json)
    .action((options) =>
      withAdminSource(options, async (source) => {
        const plan = await source.plan();
        await (options.json ? printJson(plan) : print(formatPlanTable(plan, hasColor())));
      }),
    );
}

/** Times are those of receipt. */
export function formatPlanTable(plan: PlanReport, isColored: boolean): string {
  const rows = plan.rows.map((row) => [
    row.rule === null ? "-" : String(row.rule),
    row.reason,
    formatCount(row.batches),
    formatSegments(row),
    formatCount(row.records),
    formatSize(row.bytes),
    row.oldest.slice(0, 19).replace("T", " "),
    row.newest.slice(0, 19).replace("T", " "),
  ]);
  const table = rows.length === 0 ? "" : `${formatTable(COLUMNS, rows, isColored)}\n`;
  const { records, bytes, totalBytes } = plan;
  const sum =
    rows.length === 0
      ? `Nothing to drop: the ${formatSize(totalBytes)} that are stored are within the policy.\n`
      : `${formatCount(records)} records in ${formatPlaces(plan)}: ` +
        `${formatSize(bytes)} of ${formatSize(totalBytes)}.\n`;
  return table + sum + formatWarnings(plan);
}

/** `2`, or `2 + 1 part`: segments of which other records stay are counted behind the whole ones. */
function formatSegments({ segments, segmentParts }: PlanReport["rows"][number]): string {
  const whole = formatCount(segments);
  return segmentParts === 0
    ? whole
    : `${whole} + ${formatCount(segmentParts)} ${segmentParts === 1 ? "part" : "parts"}`;
}

function formatWarnings({ unmet, clockSuspect }: PlanReport): string {
  const caps = unmet.map(
    ({ reason, missingBytes }) =>
      `Not enough to drop: ${reason}, and ${formatSize(missingBytes)} are still missing.\n`,
  );
  const clock =
    clockSuspect === null
      ? []
      : [
          `Nothing goes for its age: ${clockSuspect}.\n`,
          "If the clock is right, say so with `sluice prune --confirm-clock`.\n",
        ];
  return [...caps, ...clock].join("");
}
