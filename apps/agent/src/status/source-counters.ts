import type { AckedAmount } from "./stream-meter.ts";

/** Sources of which counts are kept, the latest active ones: names with a date in them never end. */
const MOST_SOURCES = 4_096;

/** What was acknowledged of a source since the agent started, over all its streams; only grows. */
export type SourceCount = AckedAmount;

const NOTHING: SourceCount = {
  records: 0,
  storedBytes: 0,
  filteredBytes: 0,
  filteredRecords: 0,
  gapBytes: 0,
  lostBytes: 0,
};

/** What the metrics count, by source. */
export class SourceCounters {
  readonly #counts = new Map<string, SourceCount>();

  get counts(): ReadonlyMap<string, SourceCount> {
    return this.#counts;
  }

  add(source: string, amount: AckedAmount): void {
    const before = this.#counts.get(source) ?? NOTHING;
    this.#counts.delete(source);
    this.#counts.set(source, {
      records: before.records + amount.records,
      storedBytes: before.storedBytes + amount.storedBytes,
      filteredBytes: before.filteredBytes + amount.filteredBytes,
      filteredRecords: before.filteredRecords + amount.filteredRecords,
      gapBytes: before.gapBytes + amount.gapBytes,
      lostBytes: before.lostBytes + amount.lostBytes,
    });
    const [oldest] = this.#counts.keys();
    if (this.#counts.size > MOST_SOURCES && oldest !== undefined) {
      this.#counts.delete(oldest);
    }
  }
}
