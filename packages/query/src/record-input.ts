import type { RecordColumns } from "@sluice/protocol";
import { err, ok } from "@sluice/quantity";
import type { Result } from "@sluice/quantity";
import type { Stage } from "./ast.ts";
import { buildGrouping, buildOperator } from "./operator.ts";
import type { Operator, Output } from "./operator.ts";
import { PipelineFault } from "./pipeline-error.ts";
import type { PipelineError } from "./pipeline-error.ts";
import { compileRecordCount } from "./record-count.ts";
import type { TakeMany } from "./record-count.ts";
import type { StreamIdentity } from "./record-field.ts";
import { RECORD_SHAPE } from "./row-shape.ts";
import type { RecordRef } from "./row-shape.ts";
import { compileRunCount } from "./run-summary.ts";
import type { RunCount, RunSummary } from "./run-summary.ts";
import type { SeverityMasks } from "./severity-mask.ts";

/** What another record would change: it may, it cannot any more, or the stages have given up. */
export type PipelineState = "more" | "done" | "failed";

/** How records come to the stages. Stop pushing once it says `done` or `failed`. */
export interface RecordInput {
  /** Takes one record. */
  readonly push: (stream: StreamIdentity, columns: RecordColumns, index: number) => PipelineState;
  /** Takes records of one stream in the order of `indices`; without them, all of them. */
  readonly pushMany: (
    stream: StreamIdentity,
    columns: RecordColumns,
    indices?: ArrayLike<number>,
  ) => PipelineState;
  /**
   * Takes the records of a whole run that match, `matching` being what the filter says of its stream. Where that does
   * not say which those are, or into which groups they go, it takes none of them: push them as records.
   */
  readonly pushRun: (run: RunSummary, matching: SeverityMasks) => PipelineState | "needs records";
}

/** The stages of a query with their input, and what leads out of a fault in one of them. */
export interface GuardedStages {
  readonly input: RecordInput;
  /** Runs a step of the stages, unless they have given up or need no more. */
  readonly step: (step: () => void) => PipelineState;
  /** Ends the input. Gives the reason where a stage gave up. */
  readonly finish: () => Result<undefined, PipelineError>;
  readonly error: () => PipelineError | undefined;
}

export function guardStages(stages: readonly Stage[], output: Output): GuardedStages {
  const { first, countMany, countRun } = buildFirst(stages, output);
  const pushOne = makePush(stages, first);
  let state: PipelineState = "more";
  let error: PipelineError | undefined;
  const guard = (step: () => void): void => {
    try {
      step();
    } catch (fault) {
      if (!(fault instanceof PipelineFault)) {
        throw fault;
      }
      ({ error } = fault);
      state = "failed";
    }
  };
  const step = (take: () => void): PipelineState => {
    if (state === "more") {
      guard(take);
    }
    return state;
  };
  const input: RecordInput = {
    push: (stream, columns, index) =>
      step(() => {
        if (!pushOne(stream, columns, index)) {
          state = "done";
        }
      }),
    pushMany: (stream, columns, indices) =>
      step(() => {
        if (countMany !== undefined) {
          countMany(stream, columns, indices);
          return;
        }
        const count = indices === undefined ? columns.count : indices.length;
        for (let i = 0; i < count; i++) {
          if (!pushOne(stream, columns, indices?.[i] ?? i)) {
            state = "done";
            return;
          }
        }
      }),
    pushRun: (run, matching) => {
      let taken = true;
      step(() => {
        taken = countRun?.(run, matching) ?? false;
      });
      return taken ? state : "needs records";
    },
  };
  const finish = (): Result<undefined, PipelineError> => {
    if (error === undefined) {
      guard(first.finish);
    }
    return error === undefined ? ok(undefined) : err(error);
  };
  return { input, step, finish, error: () => error };
}

interface First {
  readonly first: Operator<RecordRef>;
  readonly countMany: TakeMany | undefined;
  readonly countRun: RunCount | undefined;
}

/** The stage that is given the records: where it groups them, it may be able to take many at once. */
function buildFirst(stages: readonly Stage[], output: Output): First {
  const [stage, ...rest] = stages;
  if (stage?.kind === "stats" || stage?.kind === "top") {
    const { grouping, operator } = buildGrouping(stage, rest, RECORD_SHAPE, output);
    return {
      first: operator,
      countMany: compileRecordCount(stages, grouping, output.zone),
      countRun: compileRunCount(stages, grouping, output.zone),
    };
  }
  const first = buildOperator(stages, RECORD_SHAPE, output, (record) => {
    output.emit({ kind: "record", record });
  });
  return { first, countMany: undefined, countRun: undefined };
}

type Push = (stream: StreamIdentity, columns: RecordColumns, index: number) => boolean;

/** Stages that read a record at once are given the same object for each. */
function makePush([stage]: readonly Stage[], first: Operator<RecordRef>): Push {
  if (stage === undefined || stage.kind === "limit" || stage.kind === "sort") {
    return (stream, columns, index) => first.push({ stream, columns, index });
  }
  let record: { -readonly [K in keyof RecordRef]: RecordRef[K] } | undefined;
  return (stream, columns, index) => {
    if (record === undefined) {
      record = { stream, columns, index };
    } else {
      record.stream = stream;
      record.columns = columns;
      record.index = index;
    }
    return first.push(record);
  };
}
