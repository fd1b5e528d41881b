import { Counter, measured, type MetricFamily } from "@sluice/service";
import type { StoreReader } from "@sluice/store";

/** What metrics ask of the store besides what its streams tell. */
export type MeasuredReader = Pick<StoreReader, "jobs" | "segmentTotals">;

/** What the store did on its own account and what came of it, for `/metrics`. */
export class StoreMetrics {
  readonly #reader: MeasuredReader;
  readonly #headPayloadBytes: () => number;
  readonly #jobs = new Counter("sluice_jobs_total", "Jobs since the start, by kind.", "kind");
  readonly #jobSeconds = new Counter("sluice_job_seconds_total", "Time that they took.", "kind");
  #lastJob: number;

  /** @param headPayloadBytes compressed bytes in the head that no segment holds yet */
  constructor(reader: MeasuredReader, headPayloadBytes: () => number) {
    this.#reader = reader;
    this.#headPayloadBytes = headPayloadBytes;
    this.#lastJob = reader.jobs().at(-1)?.id ?? 0;
    for (const kind of ["compact", "merge", "prune"]) {
      this.#jobs.add(0, kind); // a rate needs a first sample
      this.#jobSeconds.add(0, kind);
    }
  }

  families(): MetricFamily[] {
    for (const { id, kind, tookMs } of this.#reader.jobs(this.#lastJob)) {
      this.#jobs.add(1, kind);
      this.#jobSeconds.add(tookMs / 1000, kind);
      this.#lastJob = id;
    }
    const { segments, blocks, bytes } = this.#reader.segmentTotals();
    return [
      measured(
        "gauge",
        "sluice_head_payload_bytes",
        "Compressed bytes in the head that no segment holds yet: what compaction has before it.",
        this.#headPayloadBytes(),
      ),
      measured("gauge", "sluice_segments", "Segments.", segments),
      measured("gauge", "sluice_segment_blocks", "Blocks of the segments.", blocks),
      measured("gauge", "sluice_segment_bytes", "Bytes of the segments' files.", bytes),
      this.#jobs,
      this.#jobSeconds,
    ];
  }
}
