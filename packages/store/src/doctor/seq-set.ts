/** Sequence numbers in a page; one that is full takes no room. */
const PAGE = 65_536;

/** Both ends are included. */
export interface SeqRange {
  readonly first: number;
  readonly last: number;
}

/** Sequence numbers of one stream: at most a bit for each, where they are dense. */
export class SeqSet {
  readonly #pages = new Map<number, Uint32Array | "full">();

  /** How many of them are in it. */
  count(seqs: SeqRange | Float64Array): number {
    return this.#visit(seqs, false);
  }

  /** Adds each. Returns how many were in it already. */
  add(seqs: SeqRange | Float64Array): number {
    return this.#visit(seqs, true);
  }

  #visit(seqs: SeqRange | Float64Array, isAdding: boolean): number {
    let known = 0;
    if (seqs instanceof Float64Array) {
      for (const seq of seqs) {
        const page = Math.floor(seq / PAGE);
        known += this.#visitPage(page, seq - page * PAGE, seq - page * PAGE, isAdding);
      }
      return known;
    }
    for (let at = seqs.first; at <= seqs.last;) {
      const page = Math.floor(at / PAGE);
      const to = Math.min(seqs.last - page * PAGE, PAGE - 1);
      known += this.#visitPage(page, at - page * PAGE, to, isAdding);
      at = page * PAGE + to + 1;
    }
    return known;
  }

  #visitPage(page: number, from: number, to: number, isAdding: boolean): number {
    const there = this.#pages.get(page);
    if (there === "full") {
      return to - from + 1;
    }
    if (there === undefined && (!isAdding || (from === 0 && to === PAGE - 1))) {
      if (isAdding) {
        this.#pages.set(page, "full");
      }
      return 0;
    }
    const bits = there ?? new Uint32Array(PAGE / 32);
    this.#pages.set(page, bits);
    let known = 0;
    for (let seq = from; seq <= to; seq++) {
      const word = bits[seq >>> 5] ?? 0;
      const bit = 1 << (seq & 31);
      known += (word & bit) === 0 ? 0 : 1;
      if (isAdding) {
        bits[seq >>> 5] = word | bit;
      }
    }
    return known;
  }
}
