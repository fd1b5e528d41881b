import { resolve } from "node:path";
import type { Command } from "@commander-js/extra-typings";
import { EXIT, Failure } from "@sluice/service";
import { rebuildHead, type RebuildResult, runDoctor } from "@sluice/store";

import { type DoctorReport, toDoctorReport } from "../doctor/doctor-report.ts";
import { withAccessChecks } from "../doctor/access-checks.ts";
import { formatCount } from "../output/text-table.ts";
import { print, printJson, withAdminSource, withSourceOptions } from "./admin-options.ts";

/** `sluice doctor`: exit code 1 where something is wrong. */
export function addDoctor(root: Command): void {
  withSourceOptions(
    root
      .command("doctor")
      .description(
        "look whether what is stored is whole and who is let in, or make a lost head.db again",
      )
      .option("--deep", "read every record", false)
      .option("--rebuild", "with --data: make head.db again from the segments", false),
  ).action(async (options) => {
    const { data, deep, rebuild, json } = options;
    if (rebuild) {
      await rebuildFolder(data, deep, json);
      return;
    }
    // Not through a source of its own: a folder without a readable head is what doctor is for.
    const report =
      data === undefined
        ? await withAdminSource(options, (source) => source.doctor(deep))
        : await withAccessChecks(
            toDoctorReport(await runDoctor({ dataDir: resolve(data), isDeep: deep })),
            undefined,
            Date.now(),
          );
    await (json ? printJson(report) : print(formatDoctor(report)));
    setExitCode(report);
  });
}

async function rebuildFolder(
  data: string | undefined,
  deep: boolean,
  json: boolean,
): Promise<void> {
  if (data === undefined || deep) {
    throw new Failure(
      deep ? "--deep reads, and --rebuild writes" : "--rebuild needs the data folder",
      deep ? "give one of them" : "stop the collector, and name its data_dir with --data",
      EXIT.usage,
    );
  }
  const result = await rebuildHead(resolve(data), Date.now);
  const report = toDoctorReport(result.doctor);
  await (json ? printJson({ ...result, doctor: report }) : print(formatRebuild(result, report)));
  setExitCode(report);
}

export function setExitCode({ problems }: DoctorReport): void {
  if (problems > 0) {
    process.exitCode = EXIT.failed;
  }
}

export function formatDoctor({ checks, verdict, advice }: DoctorReport): string {
  const width = Math.max(...checks.map(({ name }) => name.length));
  const lines = checks.flatMap(({ name, summary, problems, problemCount, notes }) => {
    const more = problemCount - problems.length;
    return [
      `${problemCount === 0 ? "ok  " : "FAIL"}  ${name.padEnd(width)}  ${summary}`,
      ...problems.map((text) => `      ! ${text}`),
      ...(more > 0 ? [`      ! and ${formatCount(more)} more`] : []),
      ...notes.map((text) => `      - ${text}`),
    ];
  });
  const next = advice === null ? [] : [`Next: ${advice}.`];
  return [...lines, "", `${capitalized(verdict)}.`, ...next, ""].join("\n");
}

function formatRebuild(result: RebuildResult, report: DoctorReport): string {
  const { segments, streams, records, deletes, leftOut, movedTo } = result;
  const lines = [
    `Made head.db again from ${formatCount(segments)} segments: ${formatCount(records)} records of ${formatCount(streams)} streams.`,
    ...(movedTo === undefined ? [] : [`The old one is ${movedTo}.`]),
    ...(deletes === 0 ? [] : [`${formatCount(deletes)} deletes are in force again.`]),
    ...leftOut.map((text) => `Left out: ${text}`),
    "The store has a new id: agents go on from their own newest checkpoints.",
  ];
  return `${lines.join("\n")}\n\n${formatDoctor(report)}`;
}

function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
