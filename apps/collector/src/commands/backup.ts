import { resolve } from "node:path";
import type { Command } from "@commander-js/extra-typings";
import { formatDuration, formatSize } from "@sluice/quantity";

import type { BackupReport } from "../backup/backup-report.ts";
import { formatCount } from "../output/text-table.ts";
import { print, printJson, withAdminSource, withSourceOptions } from "./admin-options.ts";
import { formatDoctor, setExitCode } from "./doctor.ts";

/** `sluice backup` */
export function addBackup(root: Command): void {
  withSourceOptions(
    root
      .command("backup")
      .description("copy all that is stored to a new folder, while everything goes on")
      .argument("<dir>", "folder on the collector's machine; absent, or empty"),
  ).action((dir, options) =>
    withAdminSource(options, async (source) => {
      const report = await source.backup(resolve(dir));
      await (options.json ? printJson(report) : print(formatBackup(report)));
      setExitCode(report.doctor);
    }),
  );
}

export function formatBackup(report: BackupReport): string {
  const { path, records, segments, bytes, linkedBytes, missing, tookMs, doctor } = report;
  const shared =
    linkedBytes === 0 ? "" : `, ${formatSize(linkedBytes)} of it shared with the store`;
  const lines = [
    `Backed up ${formatCount(records)} records to ${path} in ${formatDuration(tookMs)}:`,
    `${formatCount(segments)} segments and the head, ${formatSize(bytes)}${shared}.`,
    ...missing.map((lost) => `Missing, as in the store: ${lost}`),
  ];
  const verdict = doctor.problems === 0 ? "Read again and found whole.\n" : formatDoctor(doctor);
  return `${lines.join("\n")}\n${verdict}`;
}
