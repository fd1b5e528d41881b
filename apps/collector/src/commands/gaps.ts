import type { Command } from "@commander-js/extra-typings";

import type { GapReport } from "../api/admin-report.ts";
import { formatCount, formatTable } from "../output/text-table.ts";
import { addReport } from "./report-command.ts";

const COLUMNS = [
  { title: "NOTED (UTC)", align: "left" },
  { title: "HOST", align: "left" },
  { title: "SOURCE", align: "left" },
  { title: "GEN", align: "right" },
  { title: "CAUSE", align: "left" },
  { title: "RANGE", align: "left" },
  { title: "RECORDS", align: "right" },
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
  const rows = gaps.map((gap) => [
    (gap.noticed ?? gap.received).slice(0, 19).replace("T", " "),
    gap.host,
    gap.source,
    String(gap.generation),
    gap.cause,
    formatRange(gap.range),
    gap.records === 0 ? "unknown" : formatCount(gap.records),
    gap.detail,
  ]);
  return formatTable(COLUMNS, rows, isColored);
}

/** What is known of where and how much: `bytes 10 to 30`, `bytes 10 to 30, 15 of them`, `20 bytes`, `unknown`. */
function formatRange(range: GapReport["range"]): string {
  if (range === "unknown") {
    return range;
  }
  const { fromByte, toByte, bytes } = range;
  if (fromByte === undefined && toByte === undefined) {
    return bytes === undefined ? "unknown" : `${formatCount(bytes)} bytes`;
  }
  const from = fromByte ?? difference(toByte, bytes);
  const to =
    toByte ?? (fromByte === undefined || bytes === undefined ? undefined : fromByte + bytes);
  const [first, last] = [from, to].map((at) => (at === undefined ? "?" : formatCount(at)));
  const isWhole = bytes === undefined || bytes === difference(to, from);
  return `bytes ${first} to ${last}${isWhole ? "" : `, ${formatCount(bytes)} of them`}`;
}

function difference(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? undefined : a - b;
}
