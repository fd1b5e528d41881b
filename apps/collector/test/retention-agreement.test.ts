import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { timeUs } from "@sluice/quantity";
import type { RetentionPolicyInput } from "@sluice/retention";
import { openStoreReader } from "@sluice/store";
import { expect, test, type TestContext, vi } from "vitest";

import { ClockWatch, type Clocks } from "../src/retention/clock-watch.ts";
import { folderBytes } from "../src/retention/inventory.ts";
import { decideRetention } from "../src/retention/retention-decision.ts";
import { RetentionJob } from "../src/retention/retention-job.ts";
import type { PlanReport, PruneReport } from "../src/retention/retention-report.ts";
import { DAY_US, policy } from "./fake-store.ts";
import { FilledStore, type WrittenLine } from "./filled-store.ts";

// Each test writes a few megabytes, and a machine may be busy.
vi.setConfig({ testTimeout: 60_000 });

/** It writes more, and differs from the others in one point. */
function onlyWhereAllAreWanted(context: TestContext): void {
  if (process.env["SLUICE_LONG_TESTS"] !== "1")
    context.skip("it takes long: SLUICE_LONG_TESTS=1 npm test runs it too");
}

const SOURCES = ["/var/log/audit.log", "/var/log/app.log", "/var/log/debug.log"];
const INFO = 9;
const ERROR = 17;

const BATCHES = 6;
const LINES_IN_BATCH = 2_000;

/** Lines of some 200 bytes, mostly random: so that what a segment takes in itself is little beside them. */
function lines(stream: number, from: number, severities: readonly number[]): WrittenLine[] {
  const startUs = Date.UTC(2026, 10, 20) * 1000;
  return Array.from({ length: LINES_IN_BATCH }, (_, offset) => {
    const index = from + offset;
    const id = createHash("sha512").update(`${stream} ${index}`).digest();
    const session = createHash("sha512").update(id).digest("base64");
    return {
      body: `worker[${stream}]: request ${id.toString("base64")} of ${session} took ${index % 977} ms`,
      timeUs: startUs + index * 1000,
      severity: severities[index % severities.length] ?? INFO,
    };
  });
}

/** A data folder with three streams, and retention at work on it at other times than now. */
class Retained implements AsyncDisposable {
  readonly #dataDir: string;
  readonly #filled: FilledStore;

  private constructor(dataDir: string, filled: FilledStore) {
    this.#dataDir = dataDir;
    this.#filled = filled;
  }

  static async open(): Promise<Retained> {
    const dataDir = mkdtempSync(join(tmpdir(), "sluice-retained-"));
    return new Retained(dataDir, await FilledStore.open(dataDir, SOURCES));
  }

  /** 12,000 lines for each stream, in 6 batches: a few blocks. */
  async write(severities: readonly number[]): Promise<void> {
    for (const stream of SOURCES.keys()) {
      for (let batch = 0; batch < BATCHES; batch++) {
        await this.#filled.write(lines(stream, batch * LINES_IN_BATCH, severities), stream);
      }
    }
  }

  compact(): Promise<void> {
    return this.#filled.store.compact();
  }

  segmentBytes(): Promise<number> {
    return folderBytes(join(this.#dataDir, "segments"));
  }

  /** Plans, then prunes, under a policy and so many days from now. */
  async prune(
    input: RetentionPolicyInput,
    inDays: number,
  ): Promise<{ plan: PlanReport; report: PruneReport; left: number; visible: number }> {
    const wallUs = Date.now() * 1000 + inDays * DAY_US;
    const clocks: Clocks = { wallUs: () => timeUs(wallUs), monotonicMs: () => 0 };
    const watch = await ClockWatch.start(this.#dataDir, undefined, clocks);
    await using reader = openStoreReader(this.#dataDir);
    await using job = new RetentionJob({
      store: this.#filled.store,
      decide: (question) => decideRetention(reader, question),
      dataDir: this.#dataDir,
      policy: policy(input),
      watch,
      events: { pruned: () => undefined, suspended: () => undefined, failed: () => undefined },
      clocks,
    });
    const plan = await job.plan();
    const report = await job.prune();
    let visible = 0;
    const request = { query: "* | stats count()", order: "time", reverse: false } as const;
    const run = reader.search({ ...request, deadlineMs: 10_000 }, new AbortController().signal);
    for await (const chunk of run) {
      visible = (JSON.parse(Buffer.from(chunk).toString()) as { count: number }).count;
    }
    return { plan, report, visible, left: reader.stats().records };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#filled[Symbol.asyncDispose]();
    rmSync(this.#dataDir, { recursive: true });
  }
}

/** The outcome is the plan's: records to the last one, bytes within 5 %. */
function expectAgreement({ plan, report }: { plan: PlanReport; report: PruneReport }): void {
  expect(report.plan).toEqual(plan);
  expect(report.records).toBe(plan.records);
  expect(Math.abs(report.bytes - plan.bytes)).toBeLessThanOrEqual(plan.bytes * 0.05);
}

test("whole segments go as planned, beside batches of the head", async () => {
  await using retained = await Retained.open();
  await retained.write([INFO]);
  await retained.compact();
  await retained.write([INFO]);
  const pruned = await retained.prune({ keep: "7d" }, 8);
  expect(pruned.plan).toMatchObject({ batches: 18, segments: 1, segmentParts: 0, records: 72_000 });
  expectAgreement(pruned);
  expect(pruned).toMatchObject({ left: 0, visible: 0 });
});

test("after a change of policy a segment loses only what the new one drops", async () => {
  await using retained = await Retained.open();
  await retained.write([INFO]);
  await retained.prune({ keep: "30d" }, 0);
  await retained.compact();
  const before = await retained.segmentBytes();
  const rules = [{ match: { source: "*/debug.log" }, keep: "7d" }];
  const pruned = await retained.prune({ keep: "30d", rules }, 8);
  expect(pruned.plan).toMatchObject({ batches: 0, segments: 0, segmentParts: 1, records: 12_000 });
  expectAgreement(pruned);
  expect(pruned).toMatchObject({ left: 24_000, visible: 24_000 });
  const returned = before - (await retained.segmentBytes());
  expect(returned).toBe(pruned.report.bytes);
});

test("the parts of a segment that go for different reasons take it with them", async () => {
  await using retained = await Retained.open();
  await retained.write([INFO]);
  await retained.compact();
  const rules = [
    { match: { source: "*/debug.log" }, keep: "1d" },
    { match: { source: "*/app.log" }, keep: "2d" },
  ];
  const pruned = await retained.prune({ keep: "3d", rules }, 4);
  expect(pruned.plan.rows.map(({ segments, segmentParts }) => [segments, segmentParts])).toEqual([
    [0, 1],
    [0, 1],
    [0, 1],
  ]);
  expect(pruned.plan).toMatchObject({ segments: 1, segmentParts: 0, records: 36_000 });
  expectAgreement(pruned);
  expect(pruned.left).toBe(0);
});

test("what was compacted under rules by level goes by them, in whole segments", async (context) => {
  onlyWhereAllAreWanted(context);
  await using retained = await Retained.open();
  const rules = [{ match: { level: ">=error" }, keep: "90d" }];
  await retained.write([INFO, INFO, ERROR]);
  await retained.prune({ keep: "30d", rules }, 0); // the policy is in force
  await retained.compact();
  const pruned = await retained.prune({ keep: "30d", rules }, 31);
  expect(pruned.plan).toMatchObject({ batches: 0, segments: 1, segmentParts: 0, records: 24_000 });
  expectAgreement(pruned);
  expect(pruned).toMatchObject({ left: 12_000, visible: 12_000 });
});

test("what a plan keeps of a segment stays, with what has expired of it", async (context) => {
  onlyWhereAllAreWanted(context);
  await using retained = await Retained.open();
  await retained.write([INFO, INFO, ERROR]);
  await retained.compact();
  const rules = [
    { match: { source: "*/debug.log" }, keep: "1d" },
    { match: { level: ">=error" }, keep: "2d" },
  ];
  const pruned = await retained.prune({ keep: "30d", rules }, 3);
  const { plan, report } = pruned;
  expect(plan).toMatchObject({ segments: 0, segmentParts: 1, records: 12_000 });
  // Not the bytes: what stays becomes two segments, and each has some 128 KiB of its own.
  expect(report).toMatchObject({ plan, records: 12_000 });
  expect(pruned).toMatchObject({ left: 24_000, visible: 16_000 });
});

test("a rule's cap counts its parts of segments, and drops the oldest of them", async () => {
  await using retained = await Retained.open();
  await retained.write([INFO]);
  await retained.compact();
  const rules = [{ match: { source: "*/debug.log" }, max_size: "1kB" }];
  const pruned = await retained.prune({ keep: "30d", rules }, 0);
  expect(pruned.plan.rows).toMatchObject([{ kind: "rule-size", segmentParts: 1 }]);
  expectAgreement(pruned);
  expect(pruned.left).toBe(24_000);
});
