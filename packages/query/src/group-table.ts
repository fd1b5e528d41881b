import type { Cell } from "./cell.ts";

/** By the first key, then by the second …; behind the last one stand the groups. */
interface Branch<G> extends Map<Cell, Branch<G> | G> {}

/** Groups by their keys. Looking one up makes nothing, and rows of one group side by side are not looked up again. */
export class GroupTable<G extends { readonly keys: readonly Cell[] }> {
  readonly #depth: number;
  readonly #make: (keys: readonly Cell[]) => G;
  readonly #root: Branch<G> = new Map();
  readonly #groups: G[] = [];
  #last: G | undefined;

  /** `depth` is the number of keys. `make` keeps the keys that it is given; what it throws leaves the table as it was. */
  constructor(depth: number, make: (keys: readonly Cell[]) => G) {
    this.#depth = depth;
    this.#make = make;
  }

  /** In the order of their making. */
  get groups(): readonly G[] {
    return this.#groups;
  }

  /** The group of some keys, made where there is none. The array is not kept. */
  groupOf(keys: readonly Cell[]): G {
    if (this.#last === undefined || !this.#hasKeys(this.#last, keys)) {
      this.#last = this.#find(keys);
    }
    return this.#last;
  }

  #find(keys: readonly Cell[]): G {
    let branch = this.#root;
    for (let i = 0; i < this.#depth - 1; i++) {
      let next = branch.get(keys[i]) as Branch<G> | undefined;
      if (next === undefined) {
        next = new Map();
        branch.set(keys[i], next);
      }
      branch = next;
    }
    const lastKey = this.#depth === 0 ? undefined : keys[this.#depth - 1];
    let group = branch.get(lastKey) as G | undefined;
    if (group === undefined) {
      group = this.#make([...keys]);
      branch.set(lastKey, group);
      this.#groups.push(group);
    }
    return group;
  }

  #hasKeys(group: G, keys: readonly Cell[]): boolean {
    for (let i = 0; i < this.#depth; i++) {
      if (group.keys[i] !== keys[i]) {
        return false;
      }
    }
    return true;
  }
}
