import { dirname, join } from "node:path";

import type { HeadDatabase } from "../head/head-file.ts";
import { dropDeadLeases } from "./lease.ts";
import { setReclaimedVersion } from "./manifest.ts";
import {
  isUnfinished,
  listSegmentFiles,
  quarantine,
  syncFolder,
  unlinkSegment,
} from "./segment-folder.ts";

/** What the sweep at start found beside the manifest's own segments. Paths are relative to data_dir. */
export interface SweepReport {
  /** Left unfinished by a crash, and removed. */
  readonly unfinished: readonly string[];
  /** Removed from the manifest before, and now from the disk. */
  readonly unlinked: readonly string[];
  /** Complete but unknown (an older head.db was restored), and moved to quarantine. */
  readonly quarantined: readonly string[];
  /** In the manifest, but not on the disk. */
  readonly missing: readonly string[];
}

/**
 * Puts the folder of segments in order before anything is written. Only unfinished files, announced
 * ones and those that the manifest records as removed are unlinked: whatever else is unknown may be all that is
 * left of somebody's logs.
 *
 * Leases are not looked at: a reader of another process that still has a removed segment open keeps
 * reading it.
 */
export function sweepSegments(db: HeadDatabase, dataDir: string): SweepReport {
  const rows = db.prepare("SELECT path, removed IS NOT NULL AS isRemoved FROM segments").all() as {
    path: string;
    isRemoved: number;
  }[];
  const live = new Set(rows.filter((row) => row.isRemoved === 0).map(({ path }) => path));
  const removed = new Set(rows.filter((row) => row.isRemoved === 1).map(({ path }) => path));
  const announced = new Set(
    db.prepare("SELECT path FROM announced_segments").pluck().all() as string[],
  );
  const report = {
    unfinished: [] as string[],
    unlinked: [] as string[],
    quarantined: [] as string[],
    missing: [] as string[],
  };
  dropDeadLeases(dataDir);
  const files = listSegmentFiles(dataDir);
  for (const path of files) {
    if (isUnfinished(path) || announced.has(path)) {
      unlinkSegment(dataDir, path);
      report.unfinished.push(path);
    } else if (removed.has(path)) {
      unlinkSegment(dataDir, path);
      report.unlinked.push(path);
    } else if (!live.has(path)) {
      report.quarantined.push(quarantine(dataDir, path));
    }
  }
  // Before they are forgotten: one that came back with a power loss would be unknown.
  const unlinked = [...report.unfinished, ...report.unlinked];
  for (const folder of new Set(unlinked.map((path) => dirname(join(dataDir, path))))) {
    syncFolder(folder);
  }
  const there = new Set(files);
  report.missing.push(...[...live].filter((path) => !there.has(path)));
  const lastRemoval = db.prepare("SELECT max(removed) FROM segments").pluck();
  db.transaction(() => {
    setReclaimedVersion(db, Number(lastRemoval.get() ?? 0));
    db.exec(`DELETE FROM announced_segments;
      DELETE FROM segment_streams WHERE segment IN (SELECT id FROM segments WHERE removed IS NOT NULL);
      DELETE FROM segments WHERE removed IS NOT NULL`);
  }).immediate();
  return report;
}
