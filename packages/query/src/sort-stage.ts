import type { SortStage } from "./ast.ts";
import { compareSortValues, sortValue } from "./cell.ts";
import type { Cell, SortValue } from "./cell.ts";
import { PIPELINE_LIMITS, PipelineFault } from "./pipeline-error.ts";
import type { RowShape } from "./row-shape.ts";

interface Held<R> {
  readonly row: R;
  readonly bytes: number;
  readonly order: readonly SortValue[];
  readonly arrival: number;
}

/** Rows held back until the last one is known. Equal rows stay in the order of their arrival. */
export class Sorting<R> {
  readonly #shape: RowShape<R>;
  readonly #keys: readonly { readonly read: (row: R) => Cell; readonly descending: boolean }[];
  /** How many rows are wanted; Infinity for all. */
  readonly #wanted: number;
  #held: Held<R>[] = [];
  #heldBytes = 0;
  #arrivals = 0;
  /** Once `wanted` rows have been found: the last of them. What comes behind it is not wanted. */
  #worst: Held<R> | undefined;

  constructor(stage: SortStage, shape: RowShape<R>, wanted: number) {
    this.#shape = shape;
    this.#keys = stage.keys.map(({ field, descending }) => ({
      read: shape.reader(field),
      descending,
    }));
    this.#wanted = wanted;
  }

  add(row: R): void {
    const arrival = this.#arrivals++;
    const order = this.#keys.map(({ read }) => sortValue(read(row)));
    if (this.#worst !== undefined && this.#compareOrders(order, this.#worst.order) >= 0) {
      return;
    }
    const held = { ...this.#shape.keep(row), order, arrival };
    this.#held.push(held);
    this.#heldBytes += held.bytes;
    if (this.#held.length >= 2 * this.#wanted && this.#held.length >= 1024) {
      this.#cut();
    }
    this.#checkBounds();
  }

  rows(): readonly R[] {
    this.#cut();
    return this.#held.map(({ row }) => row);
  }

  #cut(): void {
    this.#held.sort((a, b) => this.#compareOrders(a.order, b.order) || a.arrival - b.arrival);
    if (this.#held.length >= this.#wanted) {
      this.#held = this.#held.slice(0, this.#wanted);
      this.#heldBytes = this.#held.reduce((sum, { bytes }) => sum + bytes, 0);
      this.#worst = this.#held[this.#wanted - 1];
    }
  }

  #checkBounds(): void {
    const { sortRows, sortBytes } = PIPELINE_LIMITS;
    if (this.#heldBytes > sortBytes) {
      this.#cut();
    }
    const tooManyRows = this.#wanted === Infinity && this.#held.length > sortRows;
    if (tooManyRows || this.#heldBytes > sortBytes) {
      throw new PipelineFault({
        code: tooManyRows ? "too_many_rows" : "too_many_bytes",
        message: `sort would have to hold more than ${tooManyRows ? `${sortRows} rows` : "256 MiB"}`,
        hint: "put a limit behind it, as in sort took desc | limit 100, or narrow the filter",
      });
    }
  }

  #compareOrders(a: readonly SortValue[], b: readonly SortValue[]): number {
    for (const [i, { descending }] of this.#keys.entries()) {
      const order = compareSortValues(a[i], b[i], descending);
      if (order !== 0) {
        return order;
      }
    }
    return 0;
  }
}
