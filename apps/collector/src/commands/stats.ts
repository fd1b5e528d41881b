import type { Command } from "@commander-js/extra-typings";
import { formatSize } from "@sluice/quantity";

import type { StatsReport } from "../api/admin-report.ts";
import { formatCount } from "../output/text-table.ts";
import { addReport } from "./report-command.ts";

/** `sluice stats` */
export function addStats(root: Command): void {
  addReport(root, {
    name: "stats",
    description: "say how much is stored, since when, and on how much disk",
    read: (source) => source.stats(),
    format: formatStats,
  });
}

export function formatStats(stats: StatsReport): string {
  const { agents, connectedAgents, bodyBytes, diskBytes } = stats;
  const connected = connectedAgents === null ? "" : `, ${formatCount(connectedAgents)} connected`;
  const share = diskBytes < bodyBytes ? ` (${(diskBytes / bodyBytes).toFixed(3)} of the text)` : "";
  const lines: readonly (readonly [string, string])[] = [
    ["agents", `${formatCount(agents)}${connected}`],
    ["streams", formatCount(stats.streams)],
    ["records", formatCount(stats.records)],
    ["batches", `${formatCount(stats.batches)} in the head, not yet in a segment`],
    ["segments", `${formatCount(stats.segments)}, ${formatCount(stats.blocks)} blocks`],
    ["text", formatSize(bodyBytes)],
    ["on disk", `${formatSize(diskBytes)}${share}`],
    ["disk free", formatSize(stats.diskFreeBytes)],
    ["received", formatSpan(stats)],
    ["gaps", formatCount(stats.gaps)],
    ["store", stats.storeId],
  ];
  const text = lines.map(([name, value]) => `${name.padEnd(10)}${value}\n`).join("");
  const paused =
    stats.ingestPaused === null
      ? ""
      : `\nIngest paused: ${stats.ingestPaused}.\n` +
        "Agents wait and lose nothing; it goes on by itself when there is room.\n";
  const suspect =
    stats.clockSuspect === null
      ? ""
      : `\nNothing is pruned by age: ${stats.clockSuspect}.\n` +
        "If the clock is right, say so with `sluice prune --confirm-clock`.\n";
  return `${text}${paused}${suspect}`;
}

function formatSpan({ oldestReceived, newestReceived }: StatsReport): string {
  return oldestReceived === null || newestReceived === null
    ? "nothing"
    : `${oldestReceived} to ${newestReceived}`;
}
