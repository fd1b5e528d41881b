import type { HeadDatabase } from "./head-file.ts";
import { HEAD_SCHEMA_VERSION, MANIFEST_SCHEMA } from "./schema.ts";

/** Each takes a head of the version that is its index to the next one. */
const STEPS: readonly (((db: HeadDatabase) => void) | undefined)[] = [
  undefined,
  // Leaves `batches.removed`, which version 1 never set: to drop a column is to write every payload again.
  (db) =>
    db.exec(`ALTER TABLE streams ADD COLUMN removed_records INTEGER NOT NULL DEFAULT 0;
      ALTER TABLE streams ADD COLUMN is_rebuilt INTEGER NOT NULL DEFAULT 0;
      ${MANIFEST_SCHEMA}`),
  (db) =>
    db.exec(`ALTER TABLE gaps ADD COLUMN noticed_us INTEGER;
      ALTER TABLE gaps ADD COLUMN records INTEGER NOT NULL DEFAULT 0;`),
];

/**
 * Brings a head forward to this version, in one transaction: after a crash it is of the old version
 * or of the new one. Batches are not touched, so it takes milliseconds whatever the head holds.
 */
export function migrate(db: HeadDatabase, fromVersion: number): void {
  if (fromVersion === HEAD_SCHEMA_VERSION) {
    return;
  }
  db.transaction(() => {
    for (const step of STEPS.slice(fromVersion, HEAD_SCHEMA_VERSION)) {
      step?.(db);
    }
    db.pragma(`user_version = ${HEAD_SCHEMA_VERSION}`);
  }).immediate();
}
