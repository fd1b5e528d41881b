import type { RecordColumns } from "@sluice/protocol";
import { err, ok } from "@sluice/quantity";
import type { Result, Zone } from "@sluice/quantity";
import type { Stage, StatsStage, TopStage } from "./ast.ts";
import type { Cell } from "./cell.ts";
import { PipelineFault } from "./pipeline-error.ts";
import type { PipelineError } from "./pipeline-error.ts";
import type { StreamIdentity } from "./record-field.ts";
import { RECORD_SHAPE, tableShape } from "./row-shape.ts";
import type { Column, RecordRef, RowShape } from "./row-shape.ts";
import { compileRunCount } from "./run-summary.ts";
import type { RunSummary } from "./run-summary.ts";
import type { SeverityMasks } from "./severity-mask.ts";
import { Sorting } from "./sort-stage.ts";
import { Grouping, groupsOfTop } from "./stats-stage.ts";

export type PipelineRow =
  | { readonly kind: "record"; readonly record: RecordRef }
  /** Cells in the order of the pipeline's columns. */
  | { readonly kind: "table"; readonly cells: readonly Cell[] };

export interface PipelineOptions {
  /** Takes each row as soon as it is known. */
  readonly emit: (row: PipelineRow) => void;
  /** Where days of time buckets begin. Default: `utc`. */
  readonly zone?: Zone;
}

/** What another record would change: it may, it cannot any more, or the pipeline has given up. */
export type PipelineState = "more" | "done" | "failed";

export interface Pipeline {
  /** Undefined where records come out as they went in: no stage but `limit` and `sort`. */
  readonly columns: readonly Column[] | undefined;
  /** Takes one record. Stop pushing once it says `done` or `failed`. */
  readonly push: (stream: StreamIdentity, columns: RecordColumns, index: number) => PipelineState;
  /**
   * Takes the records of a whole run that match, `matching` being what the filter says of its stream. Where that does
   * not say which those are, or into which groups they go, it takes none of them: push them one by one.
   */
  readonly pushRun: (run: RunSummary, matching: SeverityMasks) => PipelineState | "needs records";
  /** Emits what was held back, after the last record. Gives the reason where the pipeline gave up. */
  readonly finish: () => Result<undefined, PipelineError>;
}

/** One stage and those behind it. */
interface Operator<R> {
  /** Whether another row may change anything. */
  readonly push: (row: R) => boolean;
  readonly finish: () => void;
}

interface Output {
  readonly emit: PipelineOptions["emit"];
  readonly zone: Zone;
  columns: readonly Column[] | undefined;
}

type RunCount = NonNullable<ReturnType<typeof compileRunCount>>;

/** Runs the stages of a query over records. What it holds is bounded by `PIPELINE_LIMITS`, and rows leave at once. */
export function createPipeline(stages: readonly Stage[], options: PipelineOptions): Pipeline {
  const output: Output = { emit: options.emit, zone: options.zone ?? "utc", columns: undefined };
  const { first, countRun } = buildFirst(stages, output);
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
  return {
    columns: output.columns,
    pushRun: (run, matching) => {
      let taken = true;
      if (state === "more") {
        guard(() => {
          taken = countRun?.(run, matching) ?? false;
        });
      }
      return taken ? state : "needs records";
    },
    push: (stream, columns, index) => {
      if (state === "more") {
        guard(() => {
          state = first.push({ stream, columns, index }) ? "more" : "done";
        });
      }
      return state;
    },
    finish: () => {
      if (error === undefined) {
        guard(first.finish);
      }
      return error === undefined ? ok(undefined) : err(error);
    },
  };
}

/** The stage that is given the records: where it groups them, it may be able to take whole runs. */
function buildFirst(
  stages: readonly Stage[],
  output: Output,
): { readonly first: Operator<RecordRef>; readonly countRun: RunCount | undefined } {
  const [stage, ...rest] = stages;
  if (stage?.kind === "stats" || stage?.kind === "top") {
    const { grouping, behind } = group(stage, rest, RECORD_SHAPE, output);
    return {
      first: holdRows(grouping, buildTable(behind, grouping.columns, output)),
      countRun: compileRunCount(stages, grouping, output.zone),
    };
  }
  const first = build(stages, RECORD_SHAPE, output, (record) => {
    output.emit({ kind: "record", record });
  });
  return { first, countRun: undefined };
}

function build<R>(
  stages: readonly Stage[],
  shape: RowShape<R>,
  output: Output,
  emit: (row: R) => void,
): Operator<R> {
  const [stage, ...rest] = stages;
  switch (stage?.kind) {
    case undefined:
      output.columns = shape.columns;
      return {
        push: (row) => {
          emit(row);
          return true;
        },
        finish: () => {},
      };
    case "limit":
      return limitRows(stage.count, build(rest, shape, output, emit));
    case "sort": {
      const [next] = rest;
      const wanted = next?.kind === "limit" ? next.count : Infinity;
      const sorting = new Sorting(stage, shape, wanted);
      return holdRows(sorting, build(rest, shape, output, emit));
    }
    case "fields": {
      const readers = stage.fields.map(shape.reader);
      const next = buildTable(rest, stage.fields.map(shape.column), output);
      return {
        push: (row) => next.push(readers.map((read) => read(row))),
        finish: next.finish,
      };
    }
    case "stats":
    case "top": {
      const { grouping, behind } = group(stage, rest, shape, output);
      return holdRows(grouping, buildTable(behind, grouping.columns, output));
    }
    default:
      return stage satisfies never;
  }
}

function buildTable(
  stages: readonly Stage[],
  columns: readonly Column[],
  output: Output,
): Operator<readonly Cell[]> {
  return build(stages, tableShape(columns), output, (cells) => {
    output.emit({ kind: "table", cells });
  });
}

/** `top 10 host` is `stats count() by host | sort count desc, host | limit 10`, over records that have the field. */
function group<R>(
  stage: StatsStage | TopStage,
  rest: readonly Stage[],
  shape: RowShape<R>,
  { zone }: Output,
): { readonly grouping: Grouping<R>; readonly behind: readonly Stage[] } {
  if (stage.kind === "stats") {
    return { grouping: new Grouping(stage, shape, { zone, skipMissing: false }), behind: rest };
  }
  const { count, field } = stage;
  const keys = [
    { field: "count", descending: true },
    { field, descending: false },
  ];
  return {
    grouping: new Grouping(groupsOfTop(stage), shape, { zone, skipMissing: true }),
    behind: [{ kind: "sort", keys }, { kind: "limit", count }, ...rest],
  };
}

function limitRows<R>(count: number, next: Operator<R>): Operator<R> {
  let left = count;
  return {
    push: (row) => {
      if (left === 0) {
        return false;
      }
      left--;
      return next.push(row) && left > 0;
    },
    finish: next.finish,
  };
}

/** Rows go on only when the last one is known. */
function holdRows<R, S>(
  holder: { readonly add: (row: R) => void; readonly rows: () => readonly S[] },
  next: Operator<S>,
): Operator<R> {
  return {
    push: (row) => {
      holder.add(row);
      return true;
    },
    finish: () => {
      for (const row of holder.rows()) {
        if (!next.push(row)) {
          break;
        }
      }
      next.finish();
    },
  };
}
