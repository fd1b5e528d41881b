import type { DoctorCheck } from "./doctor-report.ts";

/** One sentence about all checks together. */
export function verdictOf(checks: readonly DoctorCheck[], isDeep: boolean): string {
  const problems = checks.reduce((sum, { problemCount }) => sum + problemCount, 0);
  if (problems > 0) {
    return `${problems} problem${problems === 1 ? "" : "s"} found`;
  }
  return isDeep ? "everything is fine, down to each record" : "everything is fine";
}

/** The one thing to do next, for the gravest of what was found. */
export function adviceFor(checks: readonly DoctorCheck[], isBackup: boolean): string | undefined {
  const broken = new Set(
    checks.filter(({ problemCount }) => problemCount > 0).map(({ name }) => name),
  );
  if (broken.size === 0) {
    return undefined;
  }
  if (isBackup) {
    return "do not rely on this backup: make a new one, or restore an older one";
  }
  if (broken.has("head")) {
    return "stop the collector, and restore the newest backup with `sluice restore`; without one, `sluice doctor --rebuild` makes the head again from the segments";
  }
  if (broken.has("files") || broken.has("segments") || broken.has("blocks")) {
    return "copy the data folder away, then restore the newest backup with `sluice restore`; what can be read stays searchable until then";
  }
  if (broken.has("batches")) {
    return "nothing by hand: what cannot be read is put into quarantine/ when the head is compacted; look at the disk's health";
  }
  return "keep a copy of the data folder and report it: this is a defect of Sluice";
}
