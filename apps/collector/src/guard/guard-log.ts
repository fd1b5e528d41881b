import type { Log } from "@sluice/service";
import { formatDuration, formatSize } from "@sluice/quantity";
import type { JobRecord, Store } from "@sluice/store";

import type { GuardEvents, Pause } from "./guard-parts.ts";

/** Events that could not be written while the volume was full; more than these nobody reads. */
const MOST_UNWRITTEN = 100;

const MAKE_ROOM =
  "make room on the volume of data_dir, or let retention keep less; agents wait and lose nothing";

/** Why ingest is paused, in words for the log, the jobs and `sluice stats`. */
export function describePause({ reason, volume, floorBytes }: Pause): string {
  if (reason === "sqlite-full") {
    return "the volume of data_dir was full when a commit came";
  }
  const { freeBytes, totalBytes, roomBytes } = volume;
  const spoken = freeBytes - roomBytes;
  const less = spoken > 0 ? `, of which ${formatSize(spoken)} are spoken for` : "";
  return `${formatSize(freeBytes)} of ${formatSize(totalBytes)} are free${less}; ingest needs ${formatSize(floorBytes)}`;
}

/**
 * Tells what the guard does: in the collector's log, and as rows of `jobs` (kind `disk-guard`).
 * A row that finds no room is written with a later one, at the latest when ingest goes on.
 */
export function logGuard(
  log: Log,
  store: Pick<Store, "record">,
  wallUs: () => number = () => Date.now() * 1000,
): GuardEvents {
  const unwritten: JobRecord[] = [];
  let writing: Promise<void> | undefined;

  const write = async (): Promise<void> => {
    for (let job = unwritten[0]; job !== undefined; job = unwritten[0]) {
      try {
        await store.record(job);
      } catch {
        return; // No room yet, or the store is closing: the log has it.
      }
      unwritten.shift();
    }
  };
  const record = (detail: string, tookMs: number, outcome: JobRecord["outcome"]): void => {
    const startedUs = wallUs() - Math.round(tookMs * 1000);
    unwritten.push({
      kind: "disk-guard",
      dueUs: startedUs,
      startedUs,
      tookMs: Math.round(tookMs),
      outcome,
      detail,
    });
    unwritten.splice(0, unwritten.length - MOST_UNWRITTEN);
    writing ??= write().finally(() => (writing = undefined));
  };

  return {
    pruning(volume, belowBytes) {
      const { freeBytes, roomBytes } = volume;
      log.info(
        { freeBytes, roomBytes, belowBytes },
        "room on the volume of data_dir gets short: retention is asked for some",
      );
    },
    relieved({ freeBytes, roomBytes }) {
      log.info({ freeBytes, roomBytes }, "there is room on the volume of data_dir again");
    },
    paused(pause) {
      const why = describePause(pause);
      const { freeBytes, roomBytes } = pause.volume;
      // What was measured before SQLite found no room is not how things are.
      const measured = pause.reason === "room" ? { freeBytes, roomBytes } : {};
      log.warn({ ...measured, advice: MAKE_ROOM }, `ingest paused: ${why}`);
      record(`ingest paused: ${why}`, 0, pause.reason === "room" ? { freeBytes } : {});
    },
    resumed({ freeBytes, roomBytes }, tookMs) {
      const detail = `ingest resumed after ${formatDuration(Math.round(tookMs))}: ${formatSize(freeBytes)} are free`;
      log.info({ freeBytes, roomBytes, tookMs: Math.round(tookMs) }, detail);
      record(detail, tookMs, { freeBytes });
    },
    ballastReleased(bytes) {
      log.warn({ bytes }, `released the ballast: ${formatSize(bytes)} for what must be written`);
      record("released the ballast", 0, { bytes });
    },
    failed(error) {
      log.error({ err: error }, "guarding the volume of data_dir failed; it is tried again");
    },
  };
}
