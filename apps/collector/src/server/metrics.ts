import { join } from "node:path";
import { type IntervalHistogram, monitorEventLoopDelay } from "node:perf_hooks";
import { Counter, Histogram, measured, type MetricFamily, renderMetrics } from "@sluice/service";
import type { CommitReport, StoreReader } from "@sluice/store";

import { GUARD_STATES, type GuardState } from "../guard/guard-policy.ts";
import type { AgentDirectory } from "../ingest/agent-directory.ts";
import { type MeasuredReader, StoreMetrics } from "./store-metrics.ts";
import { fileBytes, readVolume } from "../retention/inventory.ts";
import type { PruneReport } from "../retention/retention-report.ts";
import { VERSION } from "../version.ts";

/** A commit is an fsync: from a fast NVMe's to a tired disk's. */
const COMMIT_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5] as const;

const QUERY_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60] as const;

/** The delay is sampled this often, and cannot be told apart from 0 below it. */
const LOOP_RESOLUTION_MS = 10;

export interface MetricsParts {
  readonly reader: Pick<StoreReader, "agents" | "streams"> & MeasuredReader;
  /** Compressed bytes in the head that no segment holds yet. */
  readonly headPayloadBytes: () => number;
  readonly directory: Pick<AgentDirectory, "connections" | "openStreams">;
  readonly dataDir: string;
  readonly isClockSuspect: () => boolean;
  readonly guardState: () => GuardState;
  /** What the store went on in spite of since the start, by kind. */
  readonly notices: () => Readonly<Record<string, number>>;
}

/**
 * What the collector counts, for `/metrics`. The text format is our own 100 lines: the official
 * client brings the OpenTelemetry API and a digest library along, for labels and registries that a
 * dozen families do not need.
 */
export class CollectorMetrics implements Disposable {
  readonly #batches = new Counter("sluice_batches_total", "Batches committed since the start.");
  readonly #received = new Counter(
    "sluice_received_bytes_total",
    "Bytes of the binary messages taken in since the start, compressed as they came.",
  );
  readonly #commits = new Histogram(
    "sluice_commit_duration_seconds",
    "Time from the start of a commit to the end of its fsync.",
    COMMIT_SECONDS,
  );
  readonly #resets = new Counter(
    "sluice_stream_resets_total",
    "Streams sent back to their stored cursor, by reason.",
    "reason",
  );
  readonly #rejects = new Counter(
    "sluice_batch_rejects_total",
    "Batches that can never be stored, by code.",
    "code",
  );
  readonly #malformed = new Counter(
    "sluice_malformed_messages_total",
    "Messages of agents that were not frames.",
  );
  readonly #queries = new Histogram(
    "sluice_query_duration_seconds",
    "Time from a query's start to the end of its answer.",
    QUERY_SECONDS,
  );
  readonly #prunes = new Counter("sluice_prune_runs_total", "Prunes that removed something.");
  readonly #prunedRecords = new Counter("sluice_pruned_records_total", "Records pruned.");
  readonly #prunedBytes = new Counter(
    "sluice_pruned_bytes_total",
    "Bytes pruned, compressed as they lay on disk.",
  );
  readonly #loopDelay: IntervalHistogram = monitorEventLoopDelay({
    resolution: LOOP_RESOLUTION_MS,
  });
  readonly #parts: MetricsParts;
  readonly #store: StoreMetrics;
  #runningQueries = 0;

  constructor(parts: MetricsParts) {
    this.#parts = parts;
    this.#store = new StoreMetrics(parts.reader, parts.headPayloadBytes);
    this.#loopDelay.enable();
  }

  /** Frames were committed and fsynced. */
  committed(report: CommitReport): void {
    this.#commits.observe(report.commitMs / 1000);
    for (const bytes of report.messageBytes.values()) {
      this.#received.add(bytes);
    }
    this.#malformed.add(report.malformed.length);
    for (const { outcome } of report.frames) {
      switch (outcome.kind) {
        case "accepted":
          this.#batches.add(outcome.batchId === undefined ? 0 : 1);
          break;
        case "reset":
          this.#resets.add(1, outcome.reason);
          break;
        case "rejected":
          this.#rejects.add(1, outcome.code);
          break;
        case "stale":
          break;
        default:
          outcome satisfies never;
      }
    }
  }

  pruned({ records, bytes }: Pick<PruneReport, "records" | "bytes">): void {
    if (records > 0) {
      this.#prunes.add(1);
      this.#prunedRecords.add(records);
      this.#prunedBytes.add(bytes);
    }
  }

  searchBegan(): void {
    this.#runningQueries += 1;
  }

  searchEnded(tookMs: number): void {
    this.#runningQueries -= 1;
    this.#queries.observe(tookMs / 1000);
  }

  /** The answer of `/metrics`. Delays of the event loop are those since the last answer. */
  async render(): Promise<string> {
    const { dataDir } = this.#parts;
    const headPath = join(dataDir, "head.db");
    const [headBytes, walBytes, volume] = await Promise.all([
      fileBytes(headPath),
      fileBytes(`${headPath}-wal`),
      readVolume(dataDir),
    ]);
    const text = renderMetrics([
      ...this.#presence(),
      ...this.#stored(),
      ...this.#store.families(),
      this.#batches,
      this.#received,
      this.#commits,
      this.#resets,
      this.#rejects,
      this.#malformed,
      measured("gauge", "sluice_queries_running", "Queries under way.", this.#runningQueries),
      this.#queries,
      this.#prunes,
      this.#prunedRecords,
      this.#prunedBytes,
      measured(
        "counter",
        "sluice_store_notices_total",
        "What the store went on in spite of since the start: each is in the log, with advice.",
        { label: "kind", values: this.#parts.notices() },
      ),
      measured("gauge", "sluice_head_bytes", "Size of head.db.", headBytes),
      measured("gauge", "sluice_wal_bytes", "Size of head.db-wal.", walBytes),
      measured(
        "gauge",
        "sluice_disk_free_bytes",
        "What the collector may still take of its volume.",
        volume.freeBytes,
      ),
      this.#delay(),
    ]);
    this.#loopDelay.reset();
    return text;
  }

  [Symbol.dispose](): void {
    this.#loopDelay.disable();
  }

  #presence(): MetricFamily[] {
    const { directory, isClockSuspect, guardState } = this.#parts;
    const state = guardState();
    const build = { label: "version", values: { [VERSION]: 1 } };
    return [
      measured("gauge", "sluice_build_info", "1, labelled with the version.", build),
      measured("gauge", "sluice_agents_connected", "Agents connected.", directory.connections),
      measured(
        "gauge",
        "sluice_streams_open",
        "Streams of connected agents.",
        directory.openStreams,
      ),
      measured(
        "gauge",
        "sluice_clock_suspect",
        "1 while nothing is pruned for its age because the clock is not believed.",
        isClockSuspect() ? 1 : 0,
      ),
      measured(
        "gauge",
        "sluice_ingest_paused",
        "1 while agents have no credit because the volume of data_dir has no room.",
        state === "closed" ? 1 : 0,
      ),
      measured("gauge", "sluice_disk_guard_state", "1 for the state that the disk guard is in.", {
        label: "state",
        values: Object.fromEntries(GUARD_STATES.map((name) => [name, name === state ? 1 : 0])),
      }),
    ];
  }

  /** Kept by the store: they go on across restarts, and count what was pruned since. */
  #stored(): MetricFamily[] {
    let [records, bytes, gaps] = [0, 0, 0];
    const { reader } = this.#parts;
    for (const stream of reader.streams()) {
      records += stream.records;
      bytes += stream.bytes;
      gaps += stream.gaps;
    }
    const agents = reader.agents().length;
    return [
      measured("gauge", "sluice_agents_known", "Agents that have ever connected.", agents),
      measured("counter", "sluice_records_total", "Records ever committed.", records),
      measured("counter", "sluice_body_bytes_total", "Bytes of their bodies, LFs included.", bytes),
      measured("counter", "sluice_gaps_total", "Losses accounted for.", gaps),
    ];
  }

  #delay(): MetricFamily {
    return measured(
      "gauge",
      "sluice_event_loop_delay_seconds",
      "How late the event loop was, since the last scrape; quantile 1 is the worst.",
      {
        label: "quantile",
        values: {
          "0.5": lateSeconds(this.#loopDelay.percentile(50)),
          "0.99": lateSeconds(this.#loopDelay.percentile(99)),
          "1": lateSeconds(this.#loopDelay.max),
        },
      },
    );
  }
}

/** A sample is the time between two ticks, the interval itself included. */
function lateSeconds(tickNs: number): number {
  return Math.max(0, tickNs / 1e6 - LOOP_RESOLUTION_MS) / 1000;
}
