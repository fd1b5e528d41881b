import type { BackupReport } from "../src/backup/backup-report.ts";
import type { DoctorReport } from "../src/doctor/doctor-report.ts";

const NOTHING = { problems: [], problemCount: 0, notes: [] };

/** What doctor says where nothing is wrong. */
export const SOUND: DoctorReport = {
  dataDir: "/data",
  deep: false,
  checks: [
    { name: "head", summary: "head.db of version 2", ...NOTHING },
    { name: "files", summary: "2 segments in the manifest, 2 files", ...NOTHING },
  ],
  problems: 0,
  verdict: "everything is fine",
  advice: null,
};

export const BACKUP: BackupReport = {
  path: "/mnt/b",
  storeId: "b7a1",
  taken: "2026-11-24T08:00:00.000000Z",
  records: 1_234_567,
  segments: 12,
  bytes: 91_000_000,
  linkedBytes: 90_000_000,
  missing: [],
  tookMs: 340,
  doctor: SOUND,
};
