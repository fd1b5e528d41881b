import type { HeadDatabase } from "../head/head-file.ts";
import { nextManifestVersion } from "../manifest/manifest.ts";
import type { LoggedDelete } from "./delete-log.ts";

/**
 * How long after a restore records count as sent again. Agents send what an older store lacks when they
 * connect, and one of them may be switched off over some days.
 */
const REPLAY_WINDOW_US: number = 7 * 86_400 * 1_000_000;

/**
 * Puts deletes in force in a store that is older than they are: for what it holds, and, until
 * `REPLAY_WINDOW_US` from now, for what agents send again of the time before they were issued. Inside
 * the caller's transaction. Returns how many the store did not know.
 *
 * @param nowUs undefined where agents send nothing again
 */
export function applyDeletes(
  db: HeadDatabase,
  deletes: readonly LoggedDelete[],
  nowUs: number | undefined,
): number {
  const find = db
    .prepare(
      `SELECT 1 FROM deletes WHERE query = :query AND from_us IS :fromUs AND until_us IS :untilUs
         AND received_us = :receivedUs AND issued_us = :issuedUs AND is_replay = 0`,
    )
    .pluck();
  const insert = db.prepare(
    `INSERT INTO deletes (query, from_us, until_us, received_us, issued_us, issued_version, is_replay)
     VALUES (:query, :fromUs, :untilUs, :receivedUs, :issuedUs, :version, :isReplay)`,
  );
  let applied = 0;
  for (const { query, fromUs, untilUs, receivedUs, issuedUs } of deletes) {
    const one = { query, fromUs, untilUs, receivedUs, issuedUs };
    if (find.get(one) !== undefined) {
      continue;
    }
    applied += 1;
    insert.run({ ...one, version: nextManifestVersion(db), isReplay: 0 });
    if (nowUs !== undefined) {
      insert.run({
        ...one,
        untilUs: Math.min(untilUs ?? issuedUs, issuedUs),
        receivedUs: nowUs + REPLAY_WINDOW_US,
        version: nextManifestVersion(db),
        isReplay: 1,
      });
    }
  }
  return applied;
}
