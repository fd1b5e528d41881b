import { describe, expect, it } from "vitest";

import {
  COMPACT_HEAD_BYTES,
  type MaintenanceState,
  MERGED_BYTES,
  nextJob,
} from "../../src/maintenance/maintenance-plan.ts";
import { newSegment } from "../manifest-rows.ts";

const MIB = 1024 * 1024;
const MINUTE_US = 60_000_000;
/** 2026-11-26T12:00:00Z. */
const NOW_US = 1_795_694_400_000_000;
const IDLE: MaintenanceState = {
  headBytes: 0,
  oldestReceivedUs: undefined,
  segments: [],
  nowUs: NOW_US,
  isAsked: false,
};

/** Segments of these many MiB, with ids from 1 on. */
function segments(rawMiB: readonly number[], rest: Partial<MaintenanceState["segments"][0]> = {}) {
  return rawMiB.map((mib, i) => ({
    ...newSegment({ path: `segments/${i}.db`, rawBytes: mib * MIB }),
    id: i + 1,
    ...rest,
  }));
}

const compact = (level: number): unknown => ({ kind: "compact", level });
const merge = (...ids: number[]): unknown => ({ kind: "merge", segments: ids, level: 6 });

describe("what comes next", () => {
  it.each<[string, Partial<MaintenanceState>, unknown]>([
    ["nothing where there is nothing", {}, undefined],
    ["nothing where there is nothing and somebody asks", { isAsked: true }, undefined],
    [
      "nothing while the head holds little, for a short time",
      { headBytes: COMPACT_HEAD_BYTES - 1, oldestReceivedUs: NOW_US - 10 * MINUTE_US + 1 },
      undefined,
    ],
    [
      "compaction where the head holds enough",
      { headBytes: COMPACT_HEAD_BYTES, oldestReceivedUs: NOW_US },
      compact(6),
    ],
    [
      "compaction where the head holds anything for ten minutes",
      { headBytes: 1, oldestReceivedUs: NOW_US - 10 * MINUTE_US },
      compact(6),
    ],
    [
      "hasty compaction where it has fallen behind",
      { headBytes: 2 * COMPACT_HEAD_BYTES, oldestReceivedUs: NOW_US },
      compact(3),
    ],
    [
      "thorough compaction of as much where somebody waits for the result",
      { headBytes: 2 * COMPACT_HEAD_BYTES, oldestReceivedUs: NOW_US, isAsked: true },
      compact(6),
    ],
    [
      "compaction of anything where somebody asks",
      { headBytes: 1, oldestReceivedUs: NOW_US, isAsked: true },
      compact(6),
    ],
    [
      "compaction before any merge",
      {
        headBytes: COMPACT_HEAD_BYTES,
        oldestReceivedUs: NOW_US,
        segments: segments([1, 1, 1, 1]),
      },
      compact(6),
    ],
    ["nothing for three of a size", { segments: segments([1, 1, 1]) }, undefined],
    ["a merge for four of a size", { segments: segments([1, 1.1, 1, 1.2]) }, merge(1, 2, 3, 4)],
    ["no merge for four of all sizes", { segments: segments([1, 5, 20, 90]) }, undefined],
    [
      "a merge of any sizes where somebody asks",
      { segments: segments([1, 5, 20]), isAsked: true },
      merge(1, 2, 3),
    ],
    ["no merge of one, whoever asks", { segments: segments([1]), isAsked: true }, undefined],
    [
      "a merge of any sizes where their day is over",
      { segments: segments([1, 5], { day: "2026-11-25" }) },
      merge(1, 2),
    ],
    [
      "no such merge just after midnight, when some of that day may still be on its way",
      {
        segments: segments([1, 5], { day: "2026-11-25" }),
        nowUs: NOW_US - 12 * 60 * MINUTE_US + 20 * MINUTE_US,
      },
      undefined,
    ],
    [
      "no merge of what is large already",
      { segments: segments([192, 192, 192, 192]), isAsked: true },
      undefined,
    ],
    [
      "no merge across partitions or days",
      {
        segments: [
          ...segments([1]),
          ...segments([1], { id: 2, partition: "rule-x" }),
          ...segments([1], { id: 3, day: "2026-11-27" }),
        ],
        isAsked: true,
      },
      undefined,
    ],
    [
      "a merge up to the bound of its size",
      { segments: segments(Array.from({ length: 9 }, () => 150)), isAsked: true },
      merge(1, 2, 3, 4, 5, 6),
    ],
    [
      "a second look at what was compressed in haste",
      { segments: [...segments([300]), ...segments([300], { id: 2, level: 3 })] },
      merge(2),
    ],
    [
      "that of one partition and day at a time",
      {
        segments: [
          ...segments([300], { level: 3 }),
          ...segments([300], { id: 2, level: 3, day: "2026-11-25" }),
          ...segments([300], { id: 3, level: 3 }),
        ],
      },
      merge(1, 3),
    ],
  ])("is %s", (_what, state, job) => {
    expect(nextJob({ ...IDLE, ...state })).toEqual(job);
  });

  it("comes to an end, whatever there is", () => {
    let left = segments(Array.from({ length: 40 }, (_, i) => ((i * 37) % 200) + 1));
    let jobs = 0;
    for (; ; jobs++) {
      const job = nextJob({ ...IDLE, segments: left, isAsked: true });
      if (job?.kind !== "merge") {
        break;
      }
      const taken = left.filter(({ id }) => job.segments.includes(id));
      const rawBytes = taken.reduce((sum, one) => sum + one.rawBytes, 0);
      expect(rawBytes).toBeLessThanOrEqual(MERGED_BYTES);
      const [merged] = segments([rawBytes / MIB], { id: 100 + jobs });
      left = [...left.filter((one) => !taken.includes(one)), ...(merged ? [merged] : [])];
    }
    expect(jobs).toBeLessThan(10);
  });
});
