/** Beyond that, what is asked for last is forgotten: no pump holds more that it has not sealed. */
const MAX_BYTES = 2 * 1024 * 1024;

/** The newest bytes of a stream that cannot be read twice. */
export class RecentBytes {
  readonly #keepBefore: number;
  #bytes: Uint8Array = new Uint8Array();
  #end = 0;
  #wantedFrom = 0;

  /** @param keepBefore bytes that are kept in front of any offset that may still be asked for */
  constructor(keepBefore: number) {
    this.#keepBefore = keepBefore;
  }

  /** Offset behind the last byte. */
  get end(): number {
    return this.#end;
  }

  push(bytes: Uint8Array): void {
    const start = this.#end - this.#bytes.length;
    const from = Math.max(start, this.#wantedFrom - this.#keepBefore, this.#end - MAX_BYTES);
    const kept = this.#bytes.subarray(Math.max(0, from - start));
    const joined = new Uint8Array(kept.length + bytes.length);
    joined.set(kept);
    joined.set(bytes, kept.length);
    this.#bytes = joined;
    this.#end += bytes.length;
  }

  /** No offset before this one will be asked for. */
  forgetBefore(offset: number): void {
    this.#wantedFrom = Math.max(this.#wantedFrom, Math.min(offset, this.#end));
  }

  /** The up to `keepBefore` bytes in front of an offset; undefined where they are forgotten. */
  before(offset: number): Uint8Array | undefined {
    const start = this.#end - this.#bytes.length;
    const from = Math.max(0, offset - this.#keepBefore);
    if (from < start || offset > this.#end) return undefined;
    return this.#bytes.subarray(from - start, offset - start);
  }
}
