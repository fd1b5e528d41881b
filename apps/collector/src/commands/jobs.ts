import type { Command } from "@commander-js/extra-typings";
import { formatDuration } from "@sluice/quantity";

import type { JobReport } from "../api/admin-report.ts";
import { formatCount, formatTable } from "../output/text-table.ts";
import { hasColor, print, printJson, SOURCE_FLAGS, withAdminSource } from "./admin-options.ts";

const COLUMNS = [
  { title: "STARTED (UTC)", align: "left" },
  { title: "KIND", align: "left" },
  { title: "TOOK", align: "right" },
  { title: "OUTCOME", align: "left" },
  { title: "DETAIL", align: "left" },
] as const;

/** `sluice jobs` */
export function addJobs(root: Command): void {
  root
    .command("jobs")
    .description("list what the collector did on its own account, the latest first")
    .option(...SOURCE_FLAGS.data)
    .option(...SOURCE_FLAGS.collector)
    .option(...SOURCE_FLAGS.tokenFile)
    .option(...SOURCE_FLAGS.json)
    .action((options) =>
      withAdminSource(options, async (source) => {
        const jobs = await source.jobs();
        await (options.json ? printJson(jobs) : print(formatJobs(jobs, hasColor())));
      }),
    );
}

export function formatJobs(jobs: readonly JobReport[], isColored: boolean): string {
  if (jobs.length === 0) {
    return "No jobs yet: nothing had to be pruned.\n";
  }
  const rows = jobs.map(({ started, kind, tookMs, outcome, detail }) => [
    started.slice(0, 19).replace("T", " "),
    kind,
    formatDuration(tookMs),
    Object.entries(outcome)
      .map(([name, value]) => `${name} ${formatCount(value)}`)
      .join(", "),
    detail,
  ]);
  return formatTable(COLUMNS, rows, isColored);
}
