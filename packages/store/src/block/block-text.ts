/* oxlint-disable typescript/no-non-null-assertion -- hot loops: every index lies inside arrays of known length */
import type { Buffer } from "node:buffer";
import {
  type Attributes,
  type RecordColumns,
  VarintReader,
  readPairs,
} from "@sluice/protocol/wire";
import { type Result, ok } from "@sluice/quantity";
import { type BlockError, badBlock } from "./block-error.ts";
import type { BlockDictionary } from "./dictionary.ts";
import type { BlockIndex } from "./block-index.ts";
import { mayTouchTimestamp, recordsTouching } from "./layout-touch.ts";
import { LineRenderer } from "./line-renderer.ts";
import { unpackSections } from "./section.ts";

const LF = 0x0a;
const SECTIONS = 3;

/**
 * Decodes the content of the block that `index` is of, whose sections are stated to be `rawBytes` in sum, with the
 * dictionary that it was encoded with.
 */
export function decodeText(
  content: Uint8Array,
  rawBytes: number,
  index: BlockIndex,
  dictionary?: BlockDictionary,
): Result<BlockText, BlockError> {
  const unpacked = unpackSections(content, rawBytes, dictionary);
  if (!unpacked.ok) return unpacked;
  const [bytes, lengths, attributes] = unpacked.value;
  if (bytes === undefined || lengths === undefined || attributes === undefined)
    return badBlock("a content without its sections");
  if (unpacked.value.length !== SECTIONS) return badBlock("a content of other sections");
  if (bytes.length < index.count || bytes.at(-1) !== LF)
    return badBlock("the text does not hold the lines of the index");
  return ok(new BlockText(index, bytes, lengths, attributes));
}

/**
 * The text of a block's records. Made without a look at single lines: where they begin is found when it is first asked
 * for. A block whose text does not hold the lines that its index tells of throws a RangeError then; its checksums being
 * right, it was written so.
 */
export class BlockText {
  /** The lines, each with its LF, one marker byte in place of each timestamp that is not in the text. */
  readonly bytes: Buffer;

  readonly #index: BlockIndex;
  readonly #lengths: Buffer;
  readonly #attributes: Buffer;
  #lineStarts: Uint32Array | undefined;
  #attributeStarts: Uint32Array | undefined;

  constructor(index: BlockIndex, bytes: Buffer, lengths: Buffer, attributes: Buffer) {
    this.#index = index;
    this.bytes = bytes;
    this.#lengths = lengths;
    this.#attributes = attributes;
  }

  /** Whether any of the records has attributes. */
  get hasAttributes(): boolean {
    return this.#attributes.length > 0;
  }

  /** Index of the record whose line holds the byte at `place` of `bytes`. */
  recordAt(place: number): number {
    return this.#index.order.recordOf[this.#lineAt(place)]!;
  }

  /** Where the line that holds the byte at `place` of `bytes` ends, its LF included. */
  lineEnd(place: number): number {
    return this.#starts()[this.#lineAt(place) + 1]!;
  }

  #lineAt(place: number): number {
    const starts = this.#starts();
    let low = 0;
    let high = this.#index.count;
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if (starts[middle]! <= place) low = middle;
      else high = middle;
    }
    return low;
  }

  /**
   * Whether an occurrence of `text` in a body, its ASCII letters of either case where `anyCase`, may overlap a timestamp
   * that is not in the text. Where not, `bytes` holds every occurrence.
   */
  mayTouchTimestamp(text: Uint8Array, anyCase: boolean): boolean {
    return mayTouchTimestamp(this.#index, text, anyCase);
  }

  /**
   * The records, ascending, whose bodies may hold an occurrence of `text` that overlaps such a timestamp. Together with
   * those that hold an occurrence in `bytes`, they are all that may hold one.
   */
  recordsTouching(text: Uint8Array, anyCase: boolean): Uint32Array {
    return recordsTouching(this.#index, text, anyCase);
  }

  /** The records with the indices `from` to before `to`, one at least. */
  columns(from: number, to: number): RecordColumns {
    const records = new Uint32Array(to - from);
    for (let i = 0; i < records.length; i++) records[i] = from + i;
    return this.gather(records);
  }

  /** The records with the given indices, in their order, one at least. */
  gather(records: ArrayLike<number>): RecordColumns {
    const { timesUs, nanos, severities, layouts, order } = this.#index;
    const count = records.length;
    const starts = this.#starts();
    const renderer = new LineRenderer(layouts, this.bytes);
    const gathered = {
      count,
      timesUs: new Float64Array(count),
      severities: new Uint8Array(count),
      bodyOffsets: new Uint32Array(count + 1),
    };
    let size = 0;
    for (let i = 0; i < count; i++) {
      const line = order.lineOf[records[i]!]!;
      size += starts[line + 1]! - starts[line]!;
    }
    renderer.expect(size, count);
    for (let i = 0; i < count; i++) {
      const record = records[i]!;
      const line = order.lineOf[record]!;
      gathered.timesUs[i] = timesUs[record]!;
      gathered.severities[i] = severities[record]!;
      renderer.write(starts[line]!, starts[line + 1]!, timesUs[record]!, nanos[record]!);
      gathered.bodyOffsets[i + 1] = renderer.length;
    }
    return { ...gathered, bodies: renderer.finish(), attributes: this.#gatherAttributes(records) };
  }

  #gatherAttributes(records: ArrayLike<number>): (Attributes | undefined)[] | undefined {
    if (this.#attributes.length === 0) return undefined;
    const starts = this.#startsOfAttributes();
    let some = false;
    const all = Array.from(records, (record) => {
      const line = this.#index.order.lineOf[record]!;
      const reader = new VarintReader(this.#attributes, starts[line]!, starts[line + 1]!);
      if (reader.read() === 0) return undefined;
      const attributes = readPairs(this.#attributes, reader.at, starts[line + 1]!);
      if (typeof attributes === "string") throw new RangeError(attributes);
      some = true;
      return attributes;
    });
    return some ? all : undefined;
  }

  /** `count + 1` entries: where each line begins. */
  #starts(): Uint32Array {
    return (this.#lineStarts ??=
      this.#lengths.length > 0 ? this.#addLengths() : this.#findStarts());
  }

  #findStarts(): Uint32Array {
    const { bytes } = this;
    const { count } = this.#index;
    const starts = new Uint32Array(count + 1);
    let at = 0;
    for (let line = 1; line <= count; line++) {
      at = bytes.indexOf(LF, at) + 1;
      if (at === 0) break;
      starts[line] = at;
    }
    if (at !== bytes.length) throw new RangeError("a block whose text is of other lines");
    return starts;
  }

  #addLengths(): Uint32Array {
    const { count } = this.#index;
    const starts = new Uint32Array(count + 1);
    const reader = new VarintReader(this.#lengths, 0, this.#lengths.length);
    let at = 0;
    for (let line = 1; line <= count; line++) {
      const length = reader.read();
      at += length;
      if (!(length >= 1) || this.bytes[at - 1] !== LF) break;
      starts[line] = at;
    }
    if (at !== this.bytes.length || !reader.atEnd)
      throw new RangeError("a block whose lengths are not those of its text");
    return starts;
  }

  #startsOfAttributes(): Uint32Array {
    if (this.#attributeStarts !== undefined) return this.#attributeStarts;
    const starts = new Uint32Array(this.#index.count + 1);
    const reader = new VarintReader(this.#attributes, 0, this.#attributes.length);
    for (let line = 0; line < this.#index.count; line++) {
      starts[line] = reader.at;
      const bytes = reader.read();
      if (!(bytes <= this.#attributes.length - reader.at))
        throw new RangeError("a block whose attributes are cut off");
      reader.at += bytes;
    }
    starts[this.#index.count] = reader.at;
    if (!reader.atEnd) throw new RangeError("a block whose attributes are of other lines");
    return (this.#attributeStarts = starts);
  }
}
