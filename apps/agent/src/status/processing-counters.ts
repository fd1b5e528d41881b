import { noCounts, type ProcessingCounts } from "../processing/processing-counts.ts";

/** Sources of which counts are kept, the latest to be read. */
const MOST_SOURCES = 4_096;

/** What the rules of each source have done since the agent started, over all its streams; only grows. */
export class ProcessingCounters {
  readonly #counts = new Map<string, ProcessingCounts>();

  /** Those of sources that have rules. */
  get counts(): ReadonlyMap<string, ProcessingCounts> {
    return this.#counts;
  }

  /** The source's counts, for whoever carries out its rules to add to. */
  of(source: string): ProcessingCounts {
    const counts = this.#counts.get(source) ?? noCounts();
    this.#counts.delete(source);
    this.#counts.set(source, counts);
    const [oldest] = this.#counts.keys();
    if (this.#counts.size > MOST_SOURCES && oldest !== undefined) {
      this.#counts.delete(oldest);
    }
    return counts;
  }
}
