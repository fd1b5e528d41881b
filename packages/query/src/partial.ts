import type { Zone } from "@sluice/quantity";
import type { Stage } from "./ast.ts";
import type { Output } from "./operator.ts";
import type { PipelineError } from "./pipeline-error.ts";
import { guardStages } from "./record-input.ts";
import type { RecordInput } from "./record-input.ts";
import type { GroupState } from "./stats-stage.ts";

/** What a partial holds. It can be cloned into another thread. */
export type PartialState =
  | { readonly kind: "groups"; readonly groups: readonly GroupState[] }
  /** It would have to hold more than a whole pipeline may. */
  | { readonly kind: "failed"; readonly error: PipelineError };

/** The groups of a share of the records, for `Pipeline.merge`. */
export interface PartialPipeline extends RecordInput {
  /** To be cloned before the next record. */
  readonly state: () => PartialState;
}

export interface PartialOptions {
  /** That of the pipeline. Default: `utc`. */
  readonly zone?: Zone;
}

/**
 * Whether shares of the records can be grouped apart: the first stage but for `fields` is `stats` or `top`. Which
 * records come to it, and what it makes of them, does then not depend on their order.
 */
export function canBePartial(stages: readonly Stage[]): boolean {
  return groupingAt(stages) !== -1;
}

/**
 * Runs the stages up to the one that groups over a share of the records, as one of several. A pipeline of the same
 * stages that merges them all, and takes the rest of the records itself, gives the rows that it would give over all the
 * records in any order. Throws a RangeError where `canBePartial` says no.
 */
export function createPartial(
  stages: readonly Stage[],
  { zone = "utc" }: PartialOptions = {},
): PartialPipeline {
  const at = groupingAt(stages);
  const output: Output = { emit: () => {}, zone, columns: undefined, groups: undefined };
  const { input, error } = guardStages(stages.slice(0, at + 1), output);
  const { groups } = output;
  if (at === -1 || groups === undefined) {
    throw new RangeError("no stage of the query groups the records themselves");
  }
  return {
    ...input,
    state: () => {
      const fault = error();
      return fault === undefined
        ? { kind: "groups", groups: groups.state() }
        : { kind: "failed", error: fault };
    },
  };
}

function groupingAt(stages: readonly Stage[]): number {
  const at = stages.findIndex(({ kind }) => kind !== "fields");
  const kind = stages[at]?.kind;
  return kind === "stats" || kind === "top" ? at : -1;
}
