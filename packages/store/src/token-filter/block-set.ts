/* oxlint-disable typescript/no-non-null-assertion -- words are below the length that both sets share */

/** A set of a segment's blocks, which are numbered from 0 in the order in which the filter took them. */
export class BlockSet implements Iterable<number> {
  readonly blockCount: number;
  readonly #words: Uint32Array;

  private constructor(blockCount: number, words: Uint32Array) {
    this.blockCount = blockCount;
    this.#words = words;
  }

  static none(blockCount: number): BlockSet {
    return new BlockSet(blockCount, new Uint32Array((blockCount + 31) >>> 5));
  }

  static all(blockCount: number): BlockSet {
    return BlockSet.none(blockCount).complement();
  }

  has(block: number): boolean {
    return (this.#words[block >>> 5]! >>> (block & 31)) % 2 === 1;
  }

  /** Throws a RangeError for a block that the segment does not have. */
  add(block: number): void {
    if (!(block >= 0 && block < this.blockCount)) {
      throw new RangeError(`block ${block} of ${this.blockCount}`);
    }
    this.#words[block >>> 5]! |= 1 << (block & 31);
  }

  complement(): BlockSet {
    const words = this.#words.map((word) => ~word);
    const rest = this.blockCount & 31;
    if (rest !== 0) {
      words[words.length - 1]! &= (1 << rest) - 1;
    }
    return new BlockSet(this.blockCount, words);
  }

  /** The blocks of both sets. Throws a RangeError where they are of segments of different sizes. */
  intersect(other: BlockSet): BlockSet {
    this.#expectSameSize(other);
    return new BlockSet(
      this.blockCount,
      this.#words.map((word, at) => word & other.#words[at]!),
    );
  }

  /** The blocks of either set. Throws a RangeError where they are of segments of different sizes. */
  union(other: BlockSet): BlockSet {
    this.#expectSameSize(other);
    return new BlockSet(
      this.blockCount,
      this.#words.map((word, at) => word | other.#words[at]!),
    );
  }

  get isEmpty(): boolean {
    return this.#words.every((word) => word === 0);
  }

  get size(): number {
    let size = 0;
    for (const word of this.#words) {
      for (let rest = word; rest !== 0; rest &= rest - 1) {
        size += 1;
      }
    }
    return size;
  }

  /** The blocks in ascending order. */
  *[Symbol.iterator](): IterableIterator<number> {
    for (let at = 0; at < this.#words.length; at++) {
      for (let rest = this.#words[at]!; rest !== 0; rest &= rest - 1) {
        yield at * 32 + 31 - Math.clz32(rest & -rest);
      }
    }
  }

  #expectSameSize({ blockCount }: BlockSet): void {
    if (blockCount !== this.blockCount) {
      throw new RangeError(`sets of ${this.blockCount} and of ${blockCount} blocks`);
    }
  }
}
