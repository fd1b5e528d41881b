import { Buffer } from "node:buffer";

const LF = 0x0a;
const EQUALS = 0x3d;
const LENGTH_BYTES = 8;

/** journald itself takes names of 64 bytes; what is longer is not a name. */
const NAME_BYTES = 256;
/** The largest field that systemd stores or receives (DATA_SIZE_MAX): a longer one is a lie. */
const MOST_FIELD_BYTES = 768n * 1024n * 1024n;

/** What was kept of a field. */
export interface ExportField {
  /** Any bytes; the beginning of the value where it was cut. */
  readonly bytes: Buffer;
  /** Length of the value before it was cut. */
  readonly originalBytes: number;
}

export type ExportEntry = ReadonlyMap<string, ExportField>;

export interface ExportPiece {
  /** The entries that the bytes complete. Their fields may be views of these bytes. */
  readonly entries: readonly ExportEntry[];
  /** What is wrong with the bytes behind them; nothing may be pushed any more. */
  readonly fault: string | undefined;
}

type State = "name" | "text" | "length" | "binary" | "end";

/**
 * Reads systemd's Journal Export Format (https://systemd.io/JOURNAL_EXPORT_FORMATS/), from bytes that
 * may be split anywhere: `NAME=text LF`, or `NAME LF`, the length as 64 bits little endian, that many
 * bytes and LF; an empty line ends an entry. Holds one entry at most, and of that only the fields
 * that are wanted, up to their limits. A field that appears again is joined to the first by a line
 * feed.
 */
export class ExportParser {
  /** Bytes to keep of each field that is wanted. */
  readonly #limits: ReadonlyMap<string, number>;
  #state: State = "name";
  #entry = new Map<string, ExportField>();
  #isEmpty = true;
  #name = "";
  /** Bytes to keep of the field at hand; undefined where it is not wanted. */
  #limit: number | undefined;
  #parts: Buffer[] = [];
  #keptBytes = 0;
  #valueBytes = 0;
  /** What is still to come of a length or of a binary value. */
  #restBytes = 0;
  #length = 0n;
  #fault: string | undefined;

  constructor(limits: ReadonlyMap<string, number>) {
    this.#limits = limits;
  }

  push(bytes: Uint8Array): ExportPiece {
    if (this.#fault !== undefined) {
      throw new Error("a parser ends at a fault");
    }
    const chunk = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    const entries: ExportEntry[] = [];
    let at = 0;
    while (at < chunk.length && this.#fault === undefined) {
      switch (this.#state) {
        case "name":
          at = this.#takeName(chunk, at, entries);
          break;
        case "text":
          at = this.#takeText(chunk, at);
          break;
        case "length":
          at = this.#takeLength(chunk, at);
          break;
        case "binary":
          at = this.#takeBinary(chunk, at);
          break;
        case "end":
          if (chunk[at] !== LF) {
            this.#fault = `${this.#name}: no line feed behind its ${this.#valueBytes} bytes`;
          }
          at += 1;
          this.#state = "name";
          this.#endField();
          break;
        default:
          this.#state satisfies never;
      }
    }
    return { entries, fault: this.#fault };
  }

  #takeName(chunk: Buffer, from: number, entries: ExportEntry[]): number {
    let at = from;
    for (; at < chunk.length; at++) {
      const byte = chunk[at] as number;
      if (byte === EQUALS || byte === LF) {
        break;
      }
      if (byte < 0x20 || byte > 0x7e || at - from + this.#name.length >= NAME_BYTES) {
        this.#fault = "neither a field nor the end of an entry";
        return chunk.length;
      }
    }
    this.#name += chunk.toString("latin1", from, at);
    if (at === chunk.length) {
      return at;
    }
    const isText = chunk[at] === EQUALS;
    if (this.#name === "") {
      if (isText) {
        this.#fault = "a field without a name";
      }
      this.#endEntry(entries);
      return at + 1;
    }
    this.#isEmpty = false;
    this.#limit = this.#limits.get(this.#name);
    this.#state = isText ? "text" : "length";
    this.#restBytes = LENGTH_BYTES;
    this.#length = 0n;
    return at + 1;
  }

  #takeText(chunk: Buffer, from: number): number {
    const lf = chunk.indexOf(LF, from);
    this.#keep(chunk, from, lf === -1 ? chunk.length : lf);
    if (lf === -1) {
      return chunk.length;
    }
    this.#state = "name";
    this.#endField();
    return lf + 1;
  }

  #takeLength(chunk: Buffer, from: number): number {
    let at = from;
    for (; at < chunk.length && this.#restBytes > 0; at++) {
      const shift = BigInt(8 * (LENGTH_BYTES - this.#restBytes));
      this.#length |= BigInt(chunk[at] as number) << shift;
      this.#restBytes -= 1;
    }
    if (this.#restBytes === 0) {
      if (this.#length > MOST_FIELD_BYTES) {
        this.#fault = `${this.#name}: a field of ${this.#length} bytes`;
      }
      this.#restBytes = Number(this.#length);
      this.#state = this.#restBytes === 0 ? "end" : "binary";
    }
    return at;
  }

  #takeBinary(chunk: Buffer, from: number): number {
    const to = Math.min(chunk.length, from + this.#restBytes);
    this.#keep(chunk, from, to);
    this.#restBytes -= to - from;
    if (this.#restBytes === 0) {
      this.#state = "end";
    }
    return to;
  }

  #keep(chunk: Buffer, from: number, to: number): void {
    this.#valueBytes += to - from;
    if (this.#limit === undefined || from === to) {
      return;
    }
    const kept = chunk.subarray(from, Math.min(to, from + this.#limit - this.#keptBytes));
    if (kept.length > 0) {
      this.#parts.push(kept);
      this.#keptBytes += kept.length;
    }
  }

  #endField(): void {
    if (this.#limit !== undefined) {
      const value = { bytes: joinParts(this.#parts), originalBytes: this.#valueBytes };
      const first = this.#entry.get(this.#name);
      this.#entry.set(this.#name, first ? joinFields(first, value, this.#limit) : value);
    }
    this.#name = "";
    this.#parts = [];
    this.#keptBytes = 0;
    this.#valueBytes = 0;
  }

  #endEntry(entries: ExportEntry[]): void {
    if (!this.#isEmpty) {
      entries.push(this.#entry);
      this.#entry = new Map();
      this.#isEmpty = true;
    }
  }
}

function joinParts(parts: readonly Buffer[]): Buffer {
  return parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts);
}

function joinFields(first: ExportField, second: ExportField, limit: number): ExportField {
  return {
    bytes: Buffer.concat([first.bytes, Buffer.of(LF), second.bytes]).subarray(0, limit),
    originalBytes: first.originalBytes + 1 + second.originalBytes,
  };
}
