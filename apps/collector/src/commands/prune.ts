import type { Command } from "@commander-js/extra-typings";
import { EXIT, Failure } from "@sluice/service";
import { formatDuration, formatSize } from "@sluice/quantity";

import { formatPlaces, type PruneReport } from "../retention/retention-report.ts";
import { formatCount } from "../output/text-table.ts";
import { hasColor, print, printJson, SOURCE_FLAGS, withAdminSource } from "./admin-options.ts";
import { formatPlanTable } from "./retention.ts";

/** `sluice prune` */
export function addPrune(root: Command): void {
  root
    .command("prune")
    .description("drop now what the retention policy says should go")
    .option("--dry-run", "only say what would go", false)
    .option("--confirm-clock", "the clock is right: let ages count again", false)
    .option(...SOURCE_FLAGS.data)
    .option("--config <file>", "with --data: the configuration whose policy is applied")
    .option(...SOURCE_FLAGS.collector)
    .option(...SOURCE_FLAGS.tokenFile)
    .option(...SOURCE_FLAGS.ca)
    .option(...SOURCE_FLAGS.json)
    .action(async (options) => {
      const { dryRun, confirmClock, json } = options;
      if (dryRun && confirmClock) {
        throw new Failure(
          "--dry-run changes nothing, and --confirm-clock does",
          "give one of them",
          EXIT.usage,
        );
      }
      await withAdminSource(options, async (source) => {
        if (dryRun) {
          const plan = await source.plan();
          await (json ? printJson(plan) : print(formatPlanTable(plan, hasColor())));
          return;
        }
        const report = await source.prune({ confirmClock });
        await (json ? printJson(report) : print(formatPrune(report, hasColor())));
      });
    });
}

export function formatPrune(report: PruneReport, isColored: boolean): string {
  const { plan, records, bytes, tookMs, diskBytesBefore, diskBytesAfter } = report;
  const table = formatPlanTable(plan, isColored);
  if (records === 0) {
    return table;
  }
  const returned = diskBytesBefore - diskBytesAfter;
  const disk =
    returned >= 0
      ? `${formatSize(returned)} came back`
      : `${formatSize(-returned)} more, for lines arrived meanwhile`;
  // Lines that arrive make up for some of it, but not for half of what goes.
  const later =
    returned < bytes / 2
      ? "What a query still reads, or a page to come, is kept until then: its space follows.\n"
      : "";
  return (
    `${table}Dropped ${formatCount(records)} records in ${formatPlaces(report)}, ` +
    `${formatSize(bytes)}, in ${formatDuration(tookMs)}.\n` +
    `On disk: ${formatSize(diskBytesBefore)} before, ${formatSize(diskBytesAfter)} after; ${disk}.\n${later}`
  );
}
