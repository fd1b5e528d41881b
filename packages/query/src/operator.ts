import type { Zone } from "@sluice/quantity";
import type { Stage, StatsStage, TopStage } from "./ast.ts";
import type { Cell } from "./cell.ts";
import type { Column, RecordRef, RowShape } from "./row-shape.ts";
import { tableShape } from "./row-shape.ts";
import { Sorting } from "./sort-stage.ts";
import { Grouping, groupsOfTop } from "./stats-stage.ts";

/** One stage and those behind it. */
export interface Operator<R> {
  /** Whether another row may change anything. */
  readonly push: (row: R) => boolean;
  readonly finish: () => void;
}

export type PipelineRow =
  | { readonly kind: "record"; readonly record: RecordRef }
  /** Cells in the order of the pipeline's columns. */
  | { readonly kind: "table"; readonly cells: readonly Cell[] };

/** Where the last stage's rows go, and what is learnt of the stages while they are built. */
export interface Output {
  readonly emit: (row: PipelineRow) => void;
  readonly zone: Zone;
  /** Those behind the last stage; undefined for records. */
  columns: readonly Column[] | undefined;
  /** Those of the first stage that makes some. */
  groups: Groups | undefined;
}

/** What can be taken out of one grouping and put into another one. */
type Groups = Pick<Grouping<never>, "merge" | "state">;

export function buildOperator<R>(
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
      return limitRows(stage.count, buildOperator(rest, shape, output, emit));
    case "sort": {
      const [next] = rest;
      const wanted = next?.kind === "limit" ? next.count : Infinity;
      const sorting = new Sorting(stage, shape, wanted);
      return holdRows(sorting, buildOperator(rest, shape, output, emit));
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
    case "top":
      return buildGrouping(stage, rest, shape, output).operator;
    default:
      return stage satisfies never;
  }
}

/** `top 10 host` is `stats count() by host | sort count desc, host | limit 10`, over records that have the field. */
export function buildGrouping<R>(
  stage: StatsStage | TopStage,
  rest: readonly Stage[],
  shape: RowShape<R>,
  output: Output,
): { readonly operator: Operator<R>; readonly grouping: Grouping<R> } {
  const isTop = stage.kind === "top";
  const grouping = new Grouping(isTop ? groupsOfTop(stage) : stage, shape, {
    zone: output.zone,
    skipMissing: isTop,
  });
  output.groups ??= grouping;
  const behind = isTop ? [...orderOfTop(stage), ...rest] : rest;
  return {
    grouping,
    operator: holdRows(grouping, buildTable(behind, grouping.columns, output)),
  };
}

function orderOfTop({ count, field }: TopStage): readonly Stage[] {
  const keys = [
    { field: "count", descending: true },
    { field, descending: false },
  ];
  return [
    { kind: "sort", keys },
    { kind: "limit", count },
  ];
}

function buildTable(
  stages: readonly Stage[],
  columns: readonly Column[],
  output: Output,
): Operator<readonly Cell[]> {
  return buildOperator(stages, tableShape(columns), output, (cells) => {
    output.emit({ kind: "table", cells });
  });
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
