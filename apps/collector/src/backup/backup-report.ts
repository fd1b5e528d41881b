import { formatTimeRfc3339, timeUs } from "@sluice/quantity";
import { runDoctor, type Store } from "@sluice/store";
import * as z from "zod";

import { DOCTOR_REPORT, toDoctorReport } from "../doctor/doctor-report.ts";

const count = z.int().nonnegative();

/** `sluice backup --json`, and the answer of `POST /v1/backup`. */
export const BACKUP_REPORT = z.object({
  /** On the collector's machine. */
  path: z.string(),
  storeId: z.string(),
  /** The moment it is of, RFC 3339. */
  taken: z.string(),
  records: count,
  segments: count,
  /** Of all its files. */
  bytes: count,
  /** Of these, in files that it shares with the store, and that take no room of their own. */
  linkedBytes: count,
  /** Segments that the store has lost, and that the backup lacks as well. */
  missing: z.array(z.string()),
  tookMs: z.number().nonnegative(),
  /** What doctor says of the backup. */
  doctor: DOCTOR_REPORT,
});

export type BackupReport = z.infer<typeof BACKUP_REPORT>;

/** Makes a backup, and reads it again to see that it is one. */
export async function backUpNow(store: Pick<Store, "backup">, path: string): Promise<BackupReport> {
  const { takenUs, missing, ...result } = await store.backup(path);
  const doctor = toDoctorReport(await runDoctor({ dataDir: path, isDeep: false }));
  return {
    ...result,
    missing: [...missing],
    taken: formatTimeRfc3339(timeUs(takenUs)),
    doctor,
  };
}
