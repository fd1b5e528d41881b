import type { Zone } from "@sluice/quantity";
import { makeAccumulator } from "./accumulator.ts";
import type { Accumulator, AccumulatorState } from "./accumulator.ts";
import { aggregateName } from "./ast.ts";
import type { Aggregate, GroupKey, StatsStage, TopStage } from "./ast.ts";
import { compareSortValues, sortValue } from "./cell.ts";
import type { Cell, SortValue } from "./cell.ts";
import { GroupTable } from "./group-table.ts";
import { PIPELINE_LIMITS, PipelineFault, ValueBudget } from "./pipeline-error.ts";
import type { Column, RowShape } from "./row-shape.ts";
import { compileTimeBucket } from "./time-bucket.ts";

interface Group {
  readonly keys: readonly Cell[];
  readonly accumulators: readonly Accumulator[];
}

/** What a group holds, by the functions in their order. It can be cloned into another thread. */
export interface GroupState {
  readonly keys: readonly Cell[];
  readonly states: readonly AccumulatorState[];
}

export interface GroupingOptions {
  readonly zone: Zone;
  /** Whether a row without one of the keys is left out, rather than put into a group of its own. */
  readonly skipMissing: boolean;
}

/** Groups of rows and their functions: first the keys' columns, then the functions', in the order they were asked for. */
export class Grouping<R> {
  readonly columns: readonly Column[];
  readonly #keyReaders: readonly ((row: R) => Cell)[];
  readonly #aggregates: readonly Aggregate[];
  readonly #valueReaders: readonly ((row: R) => Cell)[];
  readonly #skipMissing: boolean;
  readonly #budget = new ValueBudget();
  readonly #table: GroupTable<Group>;
  /** Of the row at hand. */
  readonly #keys: Cell[];

  constructor(stage: StatsStage, shape: RowShape<R>, options: GroupingOptions) {
    this.#aggregates = stage.aggregates;
    this.#keyReaders = stage.by.map((key) => keyReader(key, shape, options.zone));
    this.#keys = stage.by.map(() => undefined);
    this.#valueReaders = stage.aggregates.map((aggregate) =>
      aggregate.kind === "count" ? () => undefined : shape.reader(aggregate.field),
    );
    this.#skipMissing = options.skipMissing;
    this.#table = new GroupTable(stage.by.length, (keys) => this.#makeGroup(keys));
    this.columns = [
      ...stage.by.map((key) => shape.column(key.kind === "time" ? "time" : key.field)),
      ...stage.aggregates.map((aggregate) => aggregateColumn(aggregate, shape)),
    ];
    if (stage.by.length === 0) {
      // Without keys there is one group, even of no rows.
      this.#table.groupOf([]);
    }
  }

  /** Takes a row, or several (`times`) that are the same in every key and value. The row is not kept. */
  add(row: R, times = 1): void {
    const keys = this.#keys;
    for (let i = 0; i < keys.length; i++) {
      keys[i] = this.#keyReaders[i]?.(row);
    }
    if (this.#skipMissing && keys.includes(undefined)) {
      return;
    }
    const { accumulators } = this.#table.groupOf(keys);
    for (let i = 0; i < accumulators.length; i++) {
      accumulators[i]?.add(this.#valueReaders[i]?.(row), times);
    }
  }

  /** Takes the groups of another share of the rows, of the same stage. */
  merge(groups: readonly GroupState[]): void {
    for (const { keys, states } of groups) {
      const { accumulators } = this.#table.groupOf(keys);
      for (const [i, state] of states.entries()) {
        accumulators[i]?.merge(state);
      }
    }
  }

  /** What the groups hold, to be cloned before the next row. */
  state(): readonly GroupState[] {
    return this.#table.groups.map(({ keys, accumulators }) => ({
      keys,
      states: accumulators.map(({ state }) => state()),
    }));
  }

  /** Rows in ascending order of their keys, whichever order the groups came in. */
  rows(): readonly (readonly Cell[])[] {
    return this.#table.groups
      .map(({ keys, accumulators }) => ({
        cells: [...keys, ...accumulators.map(({ read }) => read())],
        keys,
        order: keys.map(sortValue),
      }))
      .sort(compareGroups)
      .map(({ cells }) => cells);
  }

  #makeGroup(keys: readonly Cell[]): Group {
    if (this.#table.groups.length === PIPELINE_LIMITS.groups) {
      throw new PipelineFault({
        code: "too_many_groups",
        message: `there are more than ${PIPELINE_LIMITS.groups} groups`,
        hint: "group by a field with fewer values or by longer buckets, or narrow the filter",
      });
    }
    return {
      keys,
      accumulators: this.#aggregates.map(({ kind }) => makeAccumulator(kind, this.#budget)),
    };
  }
}

interface OrderedGroup {
  readonly keys: readonly Cell[];
  readonly order: readonly SortValue[];
}

/** By the keys' values; keys of one value, such as 10 and 10.0, by their texts. */
function compareGroups(a: OrderedGroup, b: OrderedGroup): number {
  for (const [i, value] of a.order.entries()) {
    const order = compareSortValues(value, b.order[i], false);
    if (order !== 0) {
      return order;
    }
  }
  for (const [i, key] of a.keys.entries()) {
    const order = compareSortValues(textOf(key), textOf(b.keys[i]), false);
    if (order !== 0) {
      return order;
    }
  }
  return 0;
}

function textOf(key: Cell): string | undefined {
  return key === undefined ? undefined : String(key);
}

/** The groups that `top` counts, before it orders and cuts them. */
export function groupsOfTop({ field }: TopStage): StatsStage {
  return { kind: "stats", aggregates: [{ kind: "count" }], by: [{ kind: "field", field }] };
}

function keyReader<R>(key: GroupKey, shape: RowShape<R>, zone: Zone): (row: R) => Cell {
  if (key.kind === "field") {
    return shape.reader(key.field);
  }
  const read = shape.reader("time");
  const bucket = compileTimeBucket(key.bucketMs, zone);
  return (row) => {
    const timeUs = read(row);
    return typeof timeUs === "number" ? bucket(timeUs) : undefined;
  };
}

function aggregateColumn<R>(aggregate: Aggregate, shape: RowShape<R>): Column {
  const keepsType = aggregate.kind === "min" || aggregate.kind === "max";
  const isTime = keepsType && shape.column(aggregate.field).type === "time";
  return { name: aggregateName(aggregate), type: isTime ? "time" : "number" };
}
