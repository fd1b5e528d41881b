import { expect, test } from "vitest";

import type { GapReport, JobReport, StatsReport } from "../src/api/admin-report.ts";
import { formatGaps } from "../src/commands/gaps.ts";
import { formatJobs } from "../src/commands/jobs.ts";
import { formatPrune } from "../src/commands/prune.ts";
import { formatPlanTable } from "../src/commands/retention.ts";
import { formatStats } from "../src/commands/stats.ts";
import { formatPlan, type PlanReport } from "../src/retention/retention-report.ts";

const NOTHING: PlanReport = {
  rows: [],
  batches: 0,
  segments: 0,
  segmentParts: 0,
  records: 0,
  bytes: 0,
  totalBytes: 2_500_000,
  unmet: [],
  clockSuspect: null,
};

const SOMETHING: PlanReport = {
  ...NOTHING,
  rows: [
    {
      rule: 1,
      kind: "age",
      reason: "older than 7d (rule 1 (host: web-*))",
      batches: 1,
      segments: 0,
      segmentParts: 2,
      records: 1_200,
      bytes: 30_000,
      oldest: "2026-11-01T08:00:00.000000Z",
      newest: "2026-11-02T09:30:00.000000Z",
    },
    {
      rule: null,
      kind: "total-size",
      reason: "everything together is over 2MB",
      batches: 12,
      segments: 1,
      segmentParts: 0,
      records: 90,
      bytes: 470_000,
      oldest: "2026-11-03T08:00:00.000000Z",
      newest: "2026-11-04T09:30:00.000000Z",
    },
  ],
  batches: 13,
  segments: 1,
  segmentParts: 2,
  records: 1_290,
  bytes: 500_000,
};

const STATS: StatsReport = {
  storeId: "5f0c2b1e-0000-4000-8000-000000000000",
  agents: 2,
  connectedAgents: 1,
  streams: 3,
  batches: 40,
  segments: 3,
  blocks: 120,
  records: 12_345,
  bodyBytes: 2_000_000,
  payloadBytes: 200_000,
  diskBytes: 250_000,
  diskFreeBytes: 80_000_000_000,
  oldestReceived: "2026-11-01T08:00:00.000000Z",
  newestReceived: "2026-11-24T08:00:00.000000Z",
  gaps: 0,
  clockSuspect: null,
  ingestPaused: null,
};

test("a plan is a table of what goes for which reason, and a sum", () => {
  expect(formatPlanTable(SOMETHING, false)).toMatchInlineSnapshot(`
    "RULE  REASON                                BATCHES     SEGMENTS  RECORDS   BYTES  OLDEST (UTC)         NEWEST (UTC)
    1     older than 7d (rule 1 (host: web-*))        1  0 + 2 parts    1,200   30 kB  2026-11-01 08:00:00  2026-11-02 09:30:00
    -     everything together is over 2MB            12            1       90  470 kB  2026-11-03 08:00:00  2026-11-04 09:30:00

    1,290 records in 13 batches, 1 segment, parts of 2 segments: 500 kB of 2.5 MB.
    "
  `);
});

test("a plan without drops says that the policy is kept", () => {
  expect(formatPlanTable(NOTHING, false)).toBe(
    "Nothing to drop: the 2.5 MB that are stored are within the policy.\n",
  );
});

test("a plan says which cap cannot be met, and why ages do not count", () => {
  const text = formatPlanTable(
    {
      ...NOTHING,
      unmet: [{ reason: "less than 5 GB of the volume is free", missingBytes: 1_000_000 }],
      clockSuspect: "the clock was set forward by 365d, or the machine slept",
    },
    false,
  );
  expect(text).toContain("less than 5 GB of the volume is free, and 1 MB are still missing");
  expect(text).toContain("the clock was set forward by 365d");
  expect(text).toContain("sluice prune --confirm-clock");
});

test("a plan fits into the line of a job", () => {
  expect(formatPlan(SOMETHING)).toBe(
    "1 batch, parts of 2 segments: older than 7d (rule 1 (host: web-*)); " +
      "12 batches, 1 segment: everything together is over 2MB",
  );
  expect(formatPlan({ ...NOTHING, clockSuspect: "it jumped" })).toBe(
    "nothing to drop; nothing for its age: it jumped",
  );
});

test.each([
  [900_000, 400_000, "900 kB before, 400 kB after; 500 kB came back"],
  [900_000, 950_000, "900 kB before, 950 kB after; 50 kB more, for lines arrived meanwhile"],
])("a prune reports what was measured on disk: %i, then %i bytes", (before, after, text) => {
  const report = {
    plan: SOMETHING,
    batches: 13,
    segments: 1,
    segmentParts: 2,
    records: 1_290,
    bytes: 500_000,
    tookMs: 42,
    diskBytesBefore: before,
    diskBytesAfter: after,
  };
  expect(formatPrune(report, false)).toContain(
    "Dropped 1,290 records in 13 batches, 1 segment, parts of 2 segments, 500 kB, in 42 ms.",
  );
  expect(formatPrune(report, false)).toContain(text);
});

test("a prune whose space has not come back yet says what keeps it", () => {
  const figures = { batches: 0, segments: 1, segmentParts: 0, records: 90, bytes: 500_000 };
  const report = { plan: SOMETHING, ...figures, tookMs: 42, diskBytesBefore: 900_000 };
  expect(formatPrune({ ...report, diskBytesAfter: 890_000 }, false)).toContain("its space follows");
  expect(formatPrune({ ...report, diskBytesAfter: 420_000 }, false)).not.toContain("follows");
});

test("stats say how much there is, and how small it is kept", () => {
  expect(formatStats(STATS)).toMatchInlineSnapshot(`
    "agents    2, 1 connected
    streams   3
    records   12,345
    batches   40 in the head, not yet in a segment
    segments  3, 120 blocks
    text      2 MB
    on disk   250 kB (0.125 of the text)
    disk free 80 GB
    received  2026-11-01T08:00:00.000000Z to 2026-11-24T08:00:00.000000Z
    gaps      0
    store     5f0c2b1e-0000-4000-8000-000000000000
    "
  `);
});

test("stats of a few lines, which take more room than their text, say no share of it", () => {
  const text = formatStats({ ...STATS, bodyBytes: 111, diskBytes: 173_000 });
  expect(text).toContain("on disk   173 kB\n");
});

test("stats of a folder do not claim to know who is connected", () => {
  expect(formatStats({ ...STATS, connectedAgents: null })).toContain("agents    2\n");
});

test("stats say when the clock is not believed", () => {
  expect(formatStats({ ...STATS, clockSuspect: "it jumped" })).toContain(
    "Nothing is pruned by age: it jumped.",
  );
});

test("stats say why ingest is paused, and that it mends itself", () => {
  const text = formatStats({ ...STATS, ingestPaused: "1MB of 64MB are free" });
  expect(text).toContain("Ingest paused: 1MB of 64MB are free.\n");
  expect(text).toContain("by itself");
});

test("stats of an empty store divide by nothing", () => {
  const empty = { ...STATS, records: 0, bodyBytes: 0, oldestReceived: null, newestReceived: null };
  expect(formatStats(empty)).toContain("on disk   250 kB\n");
  expect(formatStats(empty)).toContain("received  nothing\n");
});

const GAP: GapReport = {
  host: "web-1",
  source: "/var/log/syslog",
  generation: 3,
  seq: 7,
  cause: "truncated",
  range: "unknown",
  detail: "",
  records: 0,
  noticed: "2026-11-24T07:00:00.000000Z",
  received: "2026-11-24T08:00:00.000000Z",
};

test.each<[GapReport["range"], string]>([
  [{ fromByte: 1_000, toByte: 2_500 }, "bytes 1,000 to 2,500"],
  [{ fromByte: 1_000, toByte: 2_500, bytes: 1_500 }, "bytes 1,000 to 2,500"],
  [{ fromByte: 1_000, toByte: 2_500, bytes: 900 }, "bytes 1,000 to 2,500, 900 of them"],
  [{ fromByte: 1_000, bytes: 700 }, "bytes 1,000 to 1,700"],
  [{ toByte: 1_000, bytes: 700 }, "bytes 300 to 1,000"],
  [{ fromByte: 1_000 }, "bytes 1,000 to ?"],
  [{ toByte: 1_000 }, "bytes ? to 1,000"],
  [{ bytes: 700 }, "700 bytes"],
  [{}, "unknown"],
  ["unknown", "unknown"],
])("a gap of %j reads as %s", (range, text) => {
  const [, row] = formatGaps([{ ...GAP, range }], false).split("\n");
  expect(row?.split(/ {2,}/)).toContain(text);
});

test("gaps say when they were noticed, of which file, why, where and how much", () => {
  const rejected = { ...GAP, cause: "rejected", records: 1_200, detail: "bad_columns: no" };
  const rebuilt = { ...GAP, generation: 12, cause: "rolled_back", noticed: null };
  expect(formatGaps([rejected, rebuilt], false)).toMatchInlineSnapshot(`
    "NOTED (UTC)          HOST   SOURCE           GEN  CAUSE        RANGE    RECORDS  DETAIL
    2026-11-24 07:00:00  web-1  /var/log/syslog    3  rejected     unknown    1,200  bad_columns: no
    2026-11-24 08:00:00  web-1  /var/log/syslog   12  rolled_back  unknown  unknown
    "
  `);
});

const JOBS: JobReport[] = [
  {
    id: 3,
    kind: "prune",
    due: "2026-11-24T08:00:00.000000Z",
    started: "2026-11-24T08:00:12.345000Z",
    tookMs: 15,
    outcome: { batches: 64, segments: 1, records: 83_520, bytes: 1_450_867, segmentParts: 0 },
    detail: "64 batches, 1 segment: older than 14d (rule 2 (host: web-*))",
  },
  {
    id: 2,
    kind: "compact",
    due: "2026-11-24T07:50:00.000000Z",
    started: "2026-11-24T07:50:00.000000Z",
    tookMs: 1_234.5,
    outcome: { batches: 9, segments: 2, records: 12_000, rawBytes: 2e6, segmentBytes: 1e5 },
    detail: "9 batches of the head to segments, level 6",
  },
  {
    id: 1,
    kind: "rewrite",
    due: "2026-11-24T07:40:00.000000Z",
    started: "2026-11-24T07:40:00.000000Z",
    tookMs: 61_234.5,
    outcome: {
      inputs: 1,
      inputBytes: 5e6,
      records: 9,
      rawBytes: 2e6,
      segmentBytes: 3e6,
      expired: 7,
    },
    detail: "one segment without 1 of its streams",
  },
];

test("jobs say when, how long, what came back, and what went by which rule", () => {
  expect(formatJobs(JOBS, false, undefined)).toMatchInlineSnapshot(`
    "STARTED (UTC)          LATE   TOOK  KIND       FREED  WHAT
    2026-11-24 08:00:12  12.35s  15 ms  prune    1.45 MB  64 batches, 1 segment: older than 14d (rule 2 (host: web-*)); 83,520 records
    2026-11-24 07:50:00       -  1.23s  compact        -  9 batches of the head to segments, level 6; 12,000 records, 2 MB of text in 100 kB
    2026-11-24 07:40:00       -  1m 1s  rewrite     2 MB  one segment without 1 of its streams; 9 records, 7 expired, 2 MB of text in 3 MB
    "
  `);
});

test.each([80, 100])("jobs fit a terminal of %i columns", (width) => {
  const lines = formatJobs(JOBS, false, width).split("\n");
  expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(width);
  expect(lines.map((line) => line.slice(-30).trim()).join(" ")).toContain("83,520 records");
});

test("no gaps and no jobs are said in a sentence", () => {
  expect(formatGaps([], false)).toMatch(/^No gaps/);
  expect(formatJobs([], false, undefined)).toMatch(/^No jobs yet/);
});
