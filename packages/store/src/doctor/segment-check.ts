import type { SegmentEntry, SegmentStream } from "../manifest/manifest.ts";
import type { SegmentFile, SegmentRun } from "../segment/segment-file.ts";
import { sumOfRuns } from "./runs-sum.ts";

type Listed = SegmentEntry & { readonly streams: readonly SegmentStream[] };

/** What is compared of a whole segment, and of each stream in it. */
const WHOLE = [
  "records",
  "bodyBytes",
  "minTimeUs",
  "maxTimeUs",
  "firstReceivedUs",
  "lastReceivedUs",
  "firstBatch",
  "lastBatch",
  "severities",
] as const;
const SHARE = [
  "records",
  "bodyBytes",
  "firstReceivedUs",
  "lastReceivedUs",
  "severities",
] as const satisfies readonly (keyof SegmentStream)[];

/**
 * Whether a segment holds what the manifest says of it, as its own lists have it; no block is read. Each
 * finding is the end of a sentence that begins with its path.
 *
 * @throws SegmentError
 */
export function compareSegment(entry: Listed, file: SegmentFile): string[] {
  const findings: string[] = [];
  for (const key of ["partition", "day", "path"] as const) {
    if (file.meta(key) !== entry[key]) {
      findings.push(`says of itself that its ${key} is ${file.meta(key)}`);
    }
  }
  if (file.blockCount !== entry.blocks) {
    findings.push(`has ${file.blockCount} blocks instead of ${entry.blocks}`);
  }
  const whole = sumOfRuns(file.runs);
  findings.push(...differences(WHOLE, whole, entry));
  const byStream = Map.groupBy(file.runs, ({ streamId }) => streamId);
  const described = new Set(file.streams().map(({ streamId }) => streamId));
  for (const share of entry.streams) {
    const runs = byStream.get(share.streamId) ?? [];
    const found = differences(SHARE, sumOfRuns(runs), share);
    findings.push(...found.map((text) => `${text}, of stream ${share.streamId}`));
    byStream.delete(share.streamId);
    if (!described.has(share.streamId)) {
      findings.push(`does not name its stream ${share.streamId}`);
    }
  }
  for (const streamId of byStream.keys()) {
    findings.push(`holds records of stream ${streamId}, of which the manifest does not know`);
  }
  findings.push(...placesOf(file.runs, file.blockCount));
  return findings;
}

function differences<K extends string>(
  keys: readonly K[],
  found: Readonly<Record<K, number>>,
  stated: Readonly<Record<K, number>>,
): string[] {
  return keys
    .filter((key) => found[key] !== stated[key])
    .map((key) => `${key} is ${found[key]}, and ${stated[key]} in the manifest`);
}

/** Runs stand in their blocks one after the other, and every block has some. */
function placesOf(runs: readonly SegmentRun[], blockCount: number): string[] {
  const ends = new Map<number, number>();
  const findings: string[] = [];
  for (const { id, block, fromRecord, count, firstSeq, lastSeq } of runs) {
    if (block < 0 || block >= blockCount || fromRecord !== (ends.get(block) ?? 0)) {
      findings.push(`run ${id} does not stand where it should in block ${block}`);
    }
    if (count < 1 || lastSeq - firstSeq + 1 < count) {
      findings.push(`run ${id} has ${count} records from ${firstSeq} to ${lastSeq}`);
    }
    ends.set(block, fromRecord + count);
  }
  if (ends.size !== blockCount) {
    findings.push(`lists runs of ${ends.size} blocks instead of ${blockCount}`);
  }
  return findings;
}
