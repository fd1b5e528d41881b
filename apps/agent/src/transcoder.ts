const LF = 0x0a;

/** Names of encodings are those of the WHATWG's Encoding Standard, as `TextDecoder` takes them. */
export function isEncoding(label: string): boolean {
  try {
    return new TextDecoder(label).encoding !== "";
  } catch {
    return false;
  }
}

/** Bytes of a file's beginning that a byte order mark of UTF-16 takes. */
export const MARK_BYTES = 2;

/** The encoding that a byte order mark at the beginning of a file tells; undefined where there is none. */
export function encodingOfMark(head: Uint8Array): string | undefined {
  if (head[0] === 0xff && head[1] === 0xfe) return "utf-16le";
  return head[0] === 0xfe && head[1] === 0xff ? "utf-16be" : undefined;
}

/** How lines are found in bytes, and what each is in UTF-8. */
export interface LineEncoding {
  /** Bytes of a line feed. */
  readonly lineFeedBytes: 1 | 2;
  /**
   * Index of the first line feed at or behind `from` that is complete before `end`, else -1.
   *
   * @param phase what the file's offset of `bytes[0]` leaves when divided by {@link lineFeedBytes}
   */
  indexOfLineFeed(bytes: Uint8Array, from: number, end: number, phase: number): number;
  /** A byte order mark at the beginning of a file is none of its first line's. */
  toUtf8(body: Uint8Array, isFileStart: boolean): Uint8Array;
}

/** @param label one that `TextDecoder` knows; undefined ships the bytes as they are */
export function lineEncoding(label: string | undefined): LineEncoding {
  return label === undefined ? VERBATIM : new Transcoder(label);
}

/** Bytes that are shipped as they are. */
const VERBATIM: LineEncoding = {
  lineFeedBytes: 1,
  indexOfLineFeed: (bytes, from, end) => bytes.subarray(0, end).indexOf(LF, from),
  toUtf8: (body) => body,
};

/**
 * Finds lines in text of one encoding and turns each into UTF-8. What the encoding cannot mean
 * becomes U+FFFD. In every encoding but UTF-16 the byte LF is a line feed and nothing else.
 */
class Transcoder implements LineEncoding {
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

  toUtf8(body: Uint8Array, isFileStart: boolean): Uint8Array {
    const text = this.#decoder.decode(body);
    return this.#encoder.encode(isFileStart && text.startsWith("\uFEFF") ? text.slice(1) : text);
  }
}
