import type { Result, Zone } from "@sluice/quantity";
import type { Stage } from "./ast.ts";
import type { Output, PipelineRow } from "./operator.ts";
import type { PartialState } from "./partial.ts";
import { canBePartial } from "./partial.ts";
import type { PipelineError } from "./pipeline-error.ts";
import { PipelineFault } from "./pipeline-error.ts";
import { guardStages } from "./record-input.ts";
import type { PipelineState, RecordInput } from "./record-input.ts";
import type { Column } from "./row-shape.ts";

export interface PipelineOptions {
  /** Takes each row as soon as it is known. */
  readonly emit: (row: PipelineRow) => void;
  /** Where days of time buckets begin. Default: `utc`. */
  readonly zone?: Zone;
}

export interface Pipeline extends RecordInput {
  /** Undefined where records come out as they went in: no stage but `limit` and `sort`. */
  readonly columns: readonly Column[] | undefined;
  /** Takes what a partial over other records holds. Throws a TypeError where that of another query is given. */
  readonly merge: (partial: PartialState) => PipelineState;
  /** Emits what was held back, after the last record. Gives the reason where the pipeline gave up. */
  readonly finish: () => Result<undefined, PipelineError>;
}

/** Runs the stages of a query over records. What it holds is bounded by `PIPELINE_LIMITS`, and rows leave at once. */
export function createPipeline(
  stages: readonly Stage[],
  { emit, zone = "utc" }: PipelineOptions,
): Pipeline {
  const output: Output = { emit, zone, columns: undefined, groups: undefined };
  const { input, step, finish } = guardStages(stages, output);
  return {
    ...input,
    columns: output.columns,
    merge: (partial) => {
      const { groups } = output;
      if (groups === undefined || !canBePartial(stages)) {
        throw new TypeError("these stages take no partial");
      }
      return step(() => {
        if (partial.kind === "failed") {
          throw new PipelineFault(partial.error);
        }
        groups.merge(partial.groups);
      });
    },
    finish,
  };
}
