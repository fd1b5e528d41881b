import { createHash } from "node:crypto";
import { closeSync, openSync, readFileSync, readSync, statSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";

import { StoreError } from "../errors.ts";
import { BACKUP_FILE, BACKUP_FORMAT, type BackupDescription } from "./backup-layout.ts";

/** What a backup holds; a restore writes to these places, and nowhere else. */
const FILE_PATH =
  /^(head\.db|segments\/[\w-]+\/[\w-]+\/[\w-]+\.db|tokens\/[\w-]+\.token|keys\.json|tls\/[\w-]+\.(?:pem|key))$/;

const BACKUP: z.ZodType<BackupDescription> = z.object({
  format: z.literal(BACKUP_FORMAT),
  id: z.uuid(),
  storeId: z.string(),
  taken: z.string(),
  takenUs: z.int(),
  manifestVersion: z.int(),
  lastDelete: z.int(),
  records: z.int(),
  files: z.array(
    z.object({ path: z.string().regex(FILE_PATH), bytes: z.int(), sha256: z.string() }),
  ),
  missing: z.array(z.string()),
});

/** @throws StoreError `backup-damaged` where it is no backup, or one of a newer version */
export function readBackup(folder: string): BackupDescription {
  const path = join(folder, BACKUP_FILE);
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(path, "utf8"));
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const why = code === "ENOENT" ? "there is no such file, so this is no whole backup" : message;
    throw damagedBackup(`${path}: ${why}`, cause);
  }
  const { format } = content as { format?: unknown };
  if (typeof format === "number" && format > BACKUP_FORMAT) {
    throw new StoreError(
      "backup-damaged",
      `${path}: made by a newer Sluice (format ${format}; this one reads up to ${BACKUP_FORMAT})`,
      "restore it with the sluice of that version",
    );
  }
  const parsed = BACKUP.safeParse(content);
  if (!parsed.success) {
    throw damagedBackup(`${path}: ${z.prettifyError(parsed.error)}`, parsed.error);
  }
  return parsed.data;
}

/** What of a backup is not as it was when it was made; one line a file. */
export function verifyBackup(folder: string, { files }: BackupDescription): string[] {
  return files.flatMap(({ path, bytes, sha256 }) => {
    const file = join(folder, path);
    const size = statSync(file, { throwIfNoEntry: false })?.size;
    if (size === undefined) {
      return [`${path}: is missing`];
    }
    if (size !== bytes) {
      return [`${path}: has ${size} bytes instead of ${bytes}`];
    }
    return digestFile(file) === sha256 ? [] : [`${path}: its content has changed`];
  });
}

const CHUNK_BYTES = 1024 * 1024;

/** SHA-256 in hex, as sha256sum prints it. */
export function digestFile(path: string): string {
  const hash = createHash("sha256");
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  const file = openSync(path, "r");
  try {
    for (;;) {
      const length = readSync(file, chunk);
      if (length === 0) {
        return hash.digest("hex");
      }
      hash.update(chunk.subarray(0, length));
    }
  } finally {
    closeSync(file);
  }
}

export function damagedBackup(message: string, cause?: unknown): StoreError {
  return new StoreError("backup-damaged", message, "restore another backup", { cause });
}
