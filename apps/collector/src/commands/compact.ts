import type { Command } from "@commander-js/extra-typings";
import { formatDuration, formatSize } from "@sluice/quantity";

import type { CompactReport } from "../compaction/compact-report.ts";
import { formatCount, formatTable } from "../output/text-table.ts";
import { addReport } from "./report-command.ts";

const COLUMNS = [
  { title: "STORED", align: "left" },
  { title: "BEFORE", align: "right" },
  { title: "AFTER", align: "right" },
] as const;

/** `sluice compact` */
export function addCompact(root: Command): void {
  addReport(root, {
    name: "compact",
    description: "write all that is stored into segments now; the collector does so by itself",
    read: (source) => source.compact(),
    format: formatCompact,
  });
}

export function formatCompact(
  { before, after, tookMs }: CompactReport,
  isColored: boolean,
): string {
  const row = (name: string, key: keyof typeof before, format: (n: number) => string): string[] => [
    name,
    format(before[key]),
    format(after[key]),
  ];
  const rows = [
    row("batches in the head", "batches", formatCount),
    row("segments", "segments", formatCount),
    row("blocks", "blocks", formatCount),
    row("records, compressed", "payloadBytes", formatSize),
    row("on disk", "diskBytes", formatSize),
  ];
  const isSame = before.batches === 0 && before.segments === after.segments;
  const sum = isSame
    ? "Nothing was left to compact.\n"
    : `Compacted in ${formatDuration(Math.round(tookMs / 10) * 10)}.\n`;
  return `${formatTable(COLUMNS, rows, isColored)}\n${sum}`;
}
