import { existsSync } from "node:fs";
import { join } from "node:path";

/** What makes a folder a backup: written last, so that where it stands everything that it lists does. */
export const BACKUP_FILE = "backup.json";

export const BACKUP_FORMAT = 1;

export interface BackupEntry {
  /** Relative to the backup. */
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
}

export interface BackupDescription {
  readonly format: typeof BACKUP_FORMAT;
  /** A UUID. */
  readonly id: string;
  readonly storeId: string;
  /** When its head was copied, RFC 3339. */
  readonly taken: string;
  readonly takenUs: number;
  readonly manifestVersion: number;
  /** Highest id of a delete that its head knows. */
  readonly lastDelete: number;
  readonly records: number;
  readonly files: readonly BackupEntry[];
  /** Segments that were not on the disk any more when the backup was made. */
  readonly missing: readonly string[];
}

export function isBackup(folder: string): boolean {
  return existsSync(join(folder, BACKUP_FILE));
}
