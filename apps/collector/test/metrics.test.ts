import { Counter, Histogram, measured, renderMetrics } from "@sluice/service";
import type { CommitReport } from "@sluice/store";
import { expect, test } from "vitest";

import { CollectorMetrics } from "../src/server/metrics.ts";
import { FakeStore, job, part, stream } from "./fake-store.ts";

const POSITION = { epoch: 1, ordinal: 1, nextSeq: 1, cursor: new Uint8Array() };

function metricsOn(store: FakeStore): CollectorMetrics {
  return new CollectorMetrics({
    reader: store.reader,
    directory: { connections: 3, openStreams: 8 },
    dataDir: store.dataDir,
    isClockSuspect: () => true,
    headPayloadBytes: () => 4_096,
    notices: () => ({ quarantined: 2, missing: 0 }),
    guardState: () => "pruning",
  });
}

function commit(outcomes: readonly CommitReport["frames"][number]["outcome"][]): CommitReport {
  return {
    frames: outcomes.map((outcome) => ({ connection: 1, stream: 1, outcome })),
    malformed: [],
    messageBytes: new Map([[1, 500]]),
    highWater: 1,
    commitMs: 4,
  };
}

test("a family is written with its help, its type and a line for each sample", () => {
  const counter = new Counter("c_total", 'Counts \\ and\n"lines".', "kind");
  counter.add(2, 'a"b\\c\n');
  counter.add(1, "plain");
  counter.add(1, "plain");
  expect(renderMetrics([counter])).toBe(
    [
      '# HELP c_total Counts \\\\ and\\n"lines".',
      "# TYPE c_total counter",
      'c_total{kind="a\\"b\\\\c\\n"} 2',
      'c_total{kind="plain"} 2',
      "",
    ].join("\n"),
  );
});

test("a counter without labels is there from the start", () => {
  expect(renderMetrics([new Counter("c_total", "h")])).toContain("c_total 0\n");
});

test("a histogram counts what is at most its bounds, and everything under +Inf", () => {
  const histogram = new Histogram("h", "h", [1, 2]);
  for (const value of [0.5, 1, 1.5, 9]) histogram.observe(value);
  expect([...histogram.lines()]).toEqual([
    'h_bucket{le="1"} 2\n',
    'h_bucket{le="2"} 3\n',
    'h_bucket{le="+Inf"} 4\n',
    "h_sum 12\n",
    "h_count 4\n",
  ]);
});

test("a measured family may have a label", () => {
  const family = measured("gauge", "g", "h", { label: "q", values: { a: 1, b: 2 } });
  expect([...family.lines()]).toEqual(['g{q="a"} 1\n', 'g{q="b"} 2\n']);
});

test("commits are counted by the fate of their frames", async () => {
  using store = new FakeStore();
  using metrics = metricsOn(store.add());
  metrics.committed(
    commit([
      { kind: "accepted", position: POSITION, batchId: 1 },
      { kind: "accepted", position: POSITION, batchId: undefined }, // a gap
      { kind: "reset", position: POSITION, reason: "out_of_sequence" },
      { kind: "rejected", position: POSITION, code: "bad_columns", detail: "" },
      { kind: "stale" },
    ]),
  );
  const text = await metrics.render();
  expect(text).toContain("\nsluice_batches_total 1\n");
  expect(text).toContain("\nsluice_received_bytes_total 500\n");
  expect(text).toContain('\nsluice_stream_resets_total{reason="out_of_sequence"} 1\n');
  expect(text).toContain('\nsluice_batch_rejects_total{code="bad_columns"} 1\n');
  expect(text).toContain('\nsluice_commit_duration_seconds_bucket{le="0.005"} 1\n');
});

test("what the store keeps, and who is connected, is read at the scrape", async () => {
  using store = new FakeStore();
  store.knownStreams = [
    stream({ records: 5, bytes: 70, gaps: 1 }),
    stream({ records: 2, bytes: 8 }),
  ];
  using metrics = metricsOn(store.add());
  const text = await metrics.render();
  expect(text).toContain("\nsluice_records_total 7\n");
  expect(text).toContain("\nsluice_body_bytes_total 78\n");
  expect(text).toContain("\nsluice_gaps_total 1\n");
  expect(text).toContain("\nsluice_agents_connected 3\n");
  expect(text).toContain("\nsluice_streams_open 8\n");
  expect(text).toContain("\nsluice_clock_suspect 1\n");
  expect(text).toContain('\nsluice_store_notices_total{kind="quarantined"} 2\n');
  expect(text).toContain("\nsluice_ingest_paused 0\n");
  expect(text).toContain('\nsluice_disk_guard_state{state="pruning"} 1\n');
});

test("a query is running until it ends", async () => {
  using store = new FakeStore();
  using metrics = metricsOn(store.add());
  metrics.searchBegan();
  metrics.searchBegan();
  metrics.searchEnded(30);
  const text = await metrics.render();
  expect(text).toContain("\nsluice_queries_running 1\n");
  expect(text).toContain('\nsluice_query_duration_seconds_bucket{le="0.025"} 0\n');
  expect(text).toContain('\nsluice_query_duration_seconds_bucket{le="0.05"} 1\n');
});

test("jobs count from the start on, by kind, and segments as they are", async () => {
  using store = new FakeStore();
  store.add(part(1, 1, 3), part(1, 2, 3), part(2, 1, 1));
  store.knownJobs = [job({ id: 1, kind: "merge" })];
  using metrics = metricsOn(store);
  store.knownJobs.push(
    job({ id: 2, kind: "compact", tookMs: 500 }),
    job({ id: 3, kind: "compact", tookMs: 250 }),
    job({ id: 4, kind: "delete" }),
  );
  await metrics.render();
  const text = await metrics.render(); // none counts twice
  expect(text).toContain('\nsluice_jobs_total{kind="compact"} 2\n');
  expect(text).toContain('\nsluice_job_seconds_total{kind="compact"} 0.75\n');
  expect(text).toContain('\nsluice_jobs_total{kind="delete"} 1\n');
  expect(text).toContain('\nsluice_jobs_total{kind="merge"} 0\n');
  expect(text).toContain("\nsluice_segments 2\n");
  expect(text).toContain("\nsluice_segment_bytes 3000\n");
  expect(text).toContain("\nsluice_head_payload_bytes 4096\n");
});

test("only prunes that removed something count as runs", async () => {
  using store = new FakeStore();
  using metrics = metricsOn(store.add());
  metrics.pruned({ records: 0, bytes: 0 });
  metrics.pruned({ records: 2, bytes: 900 });
  const text = await metrics.render();
  expect(text).toContain("\nsluice_prune_runs_total 1\n");
  expect(text).toContain("\nsluice_pruned_records_total 2\n");
  expect(text).toContain("\nsluice_pruned_bytes_total 900\n");
});

test("every line of an answer is a comment or a sample of the text format", async () => {
  using store = new FakeStore();
  using metrics = metricsOn(store.add());
  const sample = /^[a-z_]+(?:\{[a-z]+="(?:[^"\\\n]|\\.)*"\})? -?\d+(?:\.\d+)?(?:e[+-]\d+)?$/;
  const lines = (await metrics.render()).trimEnd().split("\n");
  expect(lines.filter((line) => !line.startsWith("# ") && !sample.test(line))).toEqual([]);
});
