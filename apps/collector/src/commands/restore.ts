import { resolve } from "node:path";
import type { Command } from "@commander-js/extra-typings";
import { restoreBackup, type RestoreResult } from "@sluice/store";

import { type DoctorReport, toDoctorReport } from "../doctor/doctor-report.ts";
import { formatCount } from "../output/text-table.ts";
import { loadSettings } from "../settings.ts";
import { print, printJson } from "./admin-options.ts";
import { formatDoctor, setExitCode } from "./doctor.ts";

/** `sluice restore` */
export function addRestore(root: Command): void {
  root
    .command("restore")
    .description("make a data folder out of a backup; the collector must not be running")
    .argument("<backup>", "folder that `sluice backup` made; it stays as it is")
    .option("--data <dir>", "the data folder (default: data_dir of the configuration)")
    .option("--config <file>", "the collector's configuration")
    .option("--replace", "move aside what the data folder holds now", false)
    .option("--json", "print JSON", false)
    .action(async (backup, { data, config, replace, json }) => {
      const dataDir =
        data ?? (await loadSettings({ file: config, env: process.env, flags: {} })).dataDir;
      const result = await restoreBackup(
        { backup: resolve(backup), dataDir: resolve(dataDir), replace },
        Date.now,
      );
      const doctor = toDoctorReport(result.doctor);
      await (json ? printJson({ ...result, doctor }) : print(formatRestore(result, doctor)));
      setExitCode(doctor);
    });
}

function formatRestore(result: RestoreResult, doctor: DoctorReport): string {
  const { dataDir, backup, deletes, movedTo } = result;
  const lines = [
    `Restored ${formatCount(backup.records)} records, as of ${backup.taken}, to ${dataDir}.`,
    ...(movedTo === undefined ? [] : [`What was there before is ${movedTo}.`]),
    ...(deletes === 0
      ? []
      : [
          `${formatCount(deletes)} deletes that were issued since are in force again, for a week also for what agents send again.`,
        ]),
    "Agents send again what they still hold and this store lacks.",
  ];
  return `${lines.join("\n")}\n\n${formatDoctor(doctor)}`;
}
