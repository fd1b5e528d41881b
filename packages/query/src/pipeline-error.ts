/** Why a pipeline gave up: what it would have to hold in memory is bounded. */
export interface PipelineError {
  readonly code: "too_many_groups" | "too_many_values" | "too_many_rows" | "too_many_bytes";
  readonly message: string;
  readonly hint: string;
}

/** How a stage leaves in the middle of a record; the pipeline turns it into a Result. */
export class PipelineFault extends Error {
  readonly error: PipelineError;

  constructor(error: PipelineError) {
    super(error.message);
    this.name = "PipelineFault";
    this.error = error;
  }
}

/** What one pipeline may hold: some 100 MB of groups and values, 1,000,000 rows or 256 MiB of them to sort. */
export const PIPELINE_LIMITS: {
  readonly groups: number;
  readonly values: number;
  readonly sortRows: number;
  readonly sortBytes: number;
} = Object.freeze({
  groups: 100_000,
  values: 1_000_000,
  sortRows: 1_000_000,
  sortBytes: 256 * 1024 * 1024,
});

/** Counts the values that `uniq` and `p95` of all groups of a stage hold together. */
export class ValueBudget {
  #left = PIPELINE_LIMITS.values;

  take(): void {
    if (--this.#left < 0) {
      throw new PipelineFault({
        code: "too_many_values",
        message: `uniq and p95 would have to hold more than ${PIPELINE_LIMITS.values} values`,
        hint: "narrow the time range or the filter, or group by less",
      });
    }
  }

  give(count: number): void {
    this.#left += count;
  }
}
