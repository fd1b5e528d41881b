import type { Command } from "@commander-js/extra-typings";

import type { GapReport } from "../api/admin-report.ts";
import { formatCount, formatTable } from "../output/text-table.ts";
import { addReport } from "./report-command.ts";

const COLUMNS = [
  { title: "NOTED (UTC)", align: "left" },
  { title: "HOST", align: "left" },
  { title: "SOURCE", align: "left" },
  { title: "CAUSE", align: "left" },
  { title: "RANGE", align: "left" },
  { title: "DETAIL", align: "left" },
] as const;

/** `sluice gaps` */
export function addGaps(root: Command): void {
  addReport(root, {
    name: "gaps",
    description: "list what is known to be lost, and why",
    read: (source) => source.gaps(),
    format: formatGaps,
  });
}

export function formatGaps(gaps: readonly GapReport[], isColored: boolean): string {
  if (gaps.length === 0) {
    return "No gaps: nothing is known to be lost.\n";
  }
  const rows = gaps.map(({ received, host, source, cause, range, detail }) => [
    received.slice(0, 19).replace("T", " "),
    host,
    source,
    cause,
    formatRange(range),
    detail,
  ]);
  return formatTable(COLUMNS, rows, isColored);
}

function formatRange(range: GapReport["range"]): string {
  if (range === "unknown") {
    return range;
  }
  const { fromByte, toByte, bytes } = range;
  if (fromByte !== undefined || toByte !== undefined) {
    const [from, to] = [fromByte, toByte].map((at) => (at === undefined ? "?" : formatCount(at)));
    return `bytes ${from} to ${to}`;
  }
  return bytes === undefined ? "unknown" : `${formatCount(bytes)} bytes`;
}
