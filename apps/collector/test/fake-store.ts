import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { timeUs } from "@sluice/quantity";
import type { TimeUs } from "@sluice/quantity";
import { retentionPolicySchema } from "@sluice/retention";
import type { RetentionPolicy, RetentionPolicyInput } from "@sluice/retention";
import type {
  AgentInfo,
  JobInfo,
  RetentionOrder,
  RetentionResult,
  StoredPart,
  StoreReader,
  StreamInfo,
} from "@sluice/store";

import type { Clocks } from "../src/retention/clock-watch.ts";

export const DAY_US = 86_400_000_000;
export const NOW_US: TimeUs = timeUs(Date.UTC(2026, 10, 24, 8) * 1000);

/** A store whose batches and parts of segments are entries of a list, and whose head.db is a file of their length. */
export class FakeStore implements Disposable {
  readonly dataDir: string = mkdtempSync(join(tmpdir(), "sluice-fake-store-"));
  readonly orders: RetentionOrder[] = [];
  stored: StoredPart[] = [];
  /** On the disk and no longer stored. */
  returnableBytes = 0;
  knownStreams: StreamInfo[] = [stream({})];
  knownAgents: AgentInfo[] = [agent({})];
  knownJobs: JobInfo[] = [];
  compactions = 0;
  /** Folders that a backup was asked for. */
  readonly backups: string[] = [];
  /** Awaited by each prune before it removes anything. */
  gate: Promise<unknown> = Promise.resolve();

  add(...parts: readonly StoredPart[]): this {
    this.stored.push(...parts);
    this.#writeHead();
    return this;
  }

  async compact(): Promise<void> {
    this.compactions += 1;
    await this.gate;
  }

  async prune(order: RetentionOrder): Promise<RetentionResult> {
    this.orders.push(order);
    await this.gate;
    const going = this.stored.filter(({ place, streamId }) =>
      place.kind === "batch"
        ? order.batchIds.includes(place.batch)
        : order.segmentIds.includes(place.segment) ||
          order.segmentParts.some(
            ({ segment, streams }) => segment === place.segment && streams.includes(streamId),
          ),
    );
    this.stored = this.stored.filter((kept) => !going.includes(kept));
    this.#writeHead();
    return {
      batches: order.batchIds.length,
      segments: order.segmentIds.length,
      records: going.reduce((sum, { records }) => sum + records, 0),
      bytes: going.reduce((sum, { bytes }) => sum + bytes, 0),
      tookMs: 3,
    };
  }

  get reader(): StoreReader {
    return {
      storeId: "5f0c2b1e-0000-4000-8000-000000000000",
      highWater: this.stored.length,
      returnableBytes: this.returnableBytes,
      headBytes: this.stored.reduce((sum, { bytes }) => sum + bytes, 0),
      parts: () => this.stored,
      streams: () => this.knownStreams,
      agents: () => this.knownAgents,
      gaps: () => [
        {
          host: "web-1",
          source: "/var/log/syslog",
          generation: 0,
          seq: 7,
          cause: "truncated",
          range: { fromByte: 10, toByte: 20 },
          detail: "",
          records: 0,
          receivedUs: NOW_US,
          noticedUs: NOW_US - DAY_US,
        },
      ],
      jobs: (afterId = 0) => this.knownJobs.filter(({ id }) => id > afterId),
      segmentTotals: () => {
        const parts = this.stored.filter(({ place }) => place.kind === "segment");
        const ids = new Set(parts.map(({ place }) => place.kind === "segment" && place.segment));
        return {
          segments: ids.size,
          blocks: parts.length,
          bytes: parts.reduce((sum, { bytes }) => sum + bytes, 0),
        };
      },
      stats: () => ({
        agents: this.knownAgents.length,
        streams: this.knownStreams.length,
        batches: this.stored.length,
        segments: 0,
        blocks: 0,
        records: this.stored.reduce((sum, { records }) => sum + records, 0),
        bodyBytes: 0,
        payloadBytes: 0,
        diskBytes: 0,
        oldestReceivedUs: undefined,
        newestReceivedUs: undefined,
      }),
      search: () => {
        throw new Error("not searched here");
      },
      [Symbol.asyncDispose]: () => Promise.resolve(),
    };
  }

  [Symbol.dispose](): void {
    rmSync(this.dataDir, { recursive: true, force: true });
  }

  #writeHead(): void {
    const bytes = this.stored.reduce((sum, stored) => sum + stored.bytes, 0);
    writeFileSync(join(this.dataDir, "head.db"), Buffer.alloc(bytes));
  }
}

/** A batch of stream 1 that was received so many days before NOW_US. */
export function batch(
  batchId: number,
  ageDays: number,
  rest: Partial<StoredPart> = {},
): StoredPart {
  const receivedUs = NOW_US - ageDays * DAY_US;
  return {
    place: { kind: "batch", batch: batchId },
    streamId: 1,
    severities: 1 << 9,
    firstReceivedUs: receivedUs,
    lastReceivedUs: receivedUs,
    bytes: 1000,
    records: 10,
    ...rest,
  };
}

/** What a segment holds of a stream, all received so many days before NOW_US. */
export function part(
  segment: number,
  streamId: number,
  ageDays: number,
  rest: Partial<StoredPart> = {},
): StoredPart {
  return batch(0, ageDays, { place: { kind: "segment", segment }, streamId, ...rest });
}

export function job(rest: Partial<JobInfo>): JobInfo {
  const times = { dueUs: NOW_US, startedUs: NOW_US, tookMs: 5 };
  return { id: 1, kind: "prune", ...times, outcome: {}, detail: "", ...rest };
}

export function stream(rest: Partial<StreamInfo>): StreamInfo {
  return {
    streamId: 1,
    agentId: "a1",
    agent: 1,
    host: "web-1",
    source: "/var/log/syslog",
    generation: 0,
    labels: {},
    isFinished: false,
    records: 10,
    bytes: 1000,
    filteredRecords: 0,
    filteredBytes: 0,
    gaps: 0,
    lastTimeUs: NOW_US,
    lastReceivedUs: NOW_US,
    ...rest,
  };
}

export function agent(rest: Partial<AgentInfo>): AgentInfo {
  return {
    agent: 1,
    agentId: "a1",
    host: "web-1",
    version: "0.1.0",
    labels: {},
    firstSeenUs: NOW_US - 30 * DAY_US,
    lastSeenUs: NOW_US,
    ...rest,
  };
}

export function policy(input: RetentionPolicyInput): RetentionPolicy {
  return retentionPolicySchema.parse({ min_free: "0B", ...input });
}

/** Clocks that a test moves. */
export class FakeClocks implements Clocks {
  #wallUs: number = NOW_US;
  #monotonicMs = 0;

  wallUs(): TimeUs {
    return timeUs(this.#wallUs);
  }

  monotonicMs(): number {
    return this.#monotonicMs;
  }

  /** Time passes. */
  pass(ms: number): void {
    this.#wallUs += ms * 1000;
    this.#monotonicMs += ms;
  }

  /** Somebody sets the clock. */
  set(byMs: number): void {
    this.#wallUs += byMs * 1000;
  }
}
