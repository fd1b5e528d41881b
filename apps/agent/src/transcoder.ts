const LF = 0x0a;

/** Names of encodings are those of the WHATWG's Encoding Standard, as `TextDecoder` takes them. */
export function isEncoding(label: string): boolean {
  try {
    return new TextDecoder(label).encoding !== "";
  } catch {
    return false;
  }
}

/** The encoding that a byte order mark at the beginning of a file tells; undefined where there is none. */
export function encodingOfMark(head: Uint8Array): string | undefined {
  if (head[0] === 0xff && head[1] === 0xfe) return "utf-16le";
  return head[0] === 0xfe && head[1] === 0xff ? "utf-16be" : undefined;
}

/**
 * Finds lines in text of one encoding and turns each into UTF-8. What the encoding cannot mean
 * becomes U+FFFD. In every encoding but UTF-16 the byte LF is a line feed and nothing else.
 */
export class Transcoder {
  /** Bytes of a line feed. */
  readonly lineFeedBytes: 1 | 2;
  readonly #decoder: InstanceType<typeof TextDecoder>;
  readonly #encoder = new TextEncoder();
  /** Where LF stands among the two bytes of a line feed. */
  readonly #lfAt: 0 | 1;

  /** @throws RangeError for an unknown label */
  constructor(label: string) {
    this.#decoder = new TextDecoder(label, { ignoreBOM: true });
    const { encoding } = this.#decoder;
    this.lineFeedBytes = encoding.startsWith("utf-16") ? 2 : 1;
    this.#lfAt = encoding === "utf-16be" ? 1 : 0;
  }

  /**
   * Index of the first line feed at or behind `from` that is complete before `end`, else -1.
   *
   * @param phase what the file's offset of `bytes[0]` leaves when divided by {@link lineFeedBytes}
   */
  indexOfLineFeed(bytes: Uint8Array, from: number, end: number, phase: number): number {
    const view = bytes.subarray(0, end);
    for (let at = from; ; at += 1) {
      at = view.indexOf(LF, at);
      if (at === -1 || this.lineFeedBytes === 1) return at;
      const first = at - this.#lfAt;
      const isAligned = (first + phase) % 2 === 0;
      if (!isAligned || first < from) continue;
      if (first + 2 > end) return -1;
      if (view[first + 1 - this.#lfAt] === 0) return first;
    }
  }

  /** A byte order mark at the beginning of a file is none of its first line's. */
  toUtf8(body: Uint8Array, isFileStart: boolean): Uint8Array {
    const text = this.#decoder.decode(body);
    return this.#encoder.encode(isFileStart && text.startsWith("\uFEFF") ? text.slice(1) : text);
  }
}
