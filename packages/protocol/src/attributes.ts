import { Buffer, isUtf8 } from "node:buffer";
import { LIMITS } from "./limits.ts";
import type { Attributes } from "./record.ts";
import { VarintReader, varintBytes, writeVarint } from "./varint.ts";

/**
 * One record's attributes inside the attributes section: the byte length of what follows as a
 * varint (0: none), then key and value in turn, each as a varint byte length and UTF-8.
 */

/**
 * Bytes of the pairs alone, without the length in front of them. Throws RangeError on attributes
 * that no record may have: more than `LIMITS.recordAttributes`, more than
 * `LIMITS.recordAttributesBytes` in all, or a lone surrogate.
 */
export function attributesBytes(attributes: Attributes): number {
  const keys = Object.keys(attributes);
  if (keys.length > LIMITS.recordAttributes)
    throw new RangeError(`${keys.length} attributes in one record`);
  let bytes = 0;
  for (const key of keys) bytes += textBytes(key) + textBytes(attributes[key] ?? "");
  if (bytes > LIMITS.recordAttributesBytes)
    throw new RangeError(`attributes of ${bytes} bytes in one record`);
  return bytes;
}

function textBytes(text: string): number {
  if (!text.isWellFormed()) throw new RangeError("an attribute with a lone surrogate");
  const bytes = Buffer.byteLength(text);
  return varintBytes(bytes) + bytes;
}

/** Writes the length `bytes` (of `attributesBytes`) and the pairs; returns the offset behind them. */
export function writeAttributes(
  target: Buffer,
  at: number,
  attributes: Attributes | undefined,
  bytes: number,
): number {
  at = writeVarint(target, at, bytes);
  if (attributes === undefined) return at;
  for (const key of Object.keys(attributes)) {
    at = writeText(target, at, key);
    at = writeText(target, at, attributes[key] ?? "");
  }
  return at;
}

function writeText(target: Buffer, at: number, text: string): number {
  at = writeVarint(target, at, Buffer.byteLength(text));
  return at + target.write(text, at);
}

/**
 * Reads `count` records' attributes, which must fill `section` exactly. Each entry is a record with
 * no prototype, so that any key is data. Returns a sentence saying what is wrong, if something is.
 */
export function readAttributes(
  section: Buffer,
  count: number,
): ReadonlyArray<Attributes | undefined> | string {
  if (section.length > LIMITS.batchAttributesBytes) return "the attributes are too large";
  const all: (Attributes | undefined)[] = Array.from({ length: count });
  const reader = new VarintReader(section, 0, section.length);
  let some = false;
  for (let i = 0; i < count; i++) {
    const bytes = reader.read();
    if (!(bytes <= section.length - reader.at)) return "a record's attributes are cut off";
    if (bytes === 0) continue;
    if (bytes > LIMITS.recordAttributesBytes) return "a record's attributes are too large";
    const attributes = readPairs(section, reader.at, reader.at + bytes);
    if (typeof attributes === "string") return attributes;
    all[i] = attributes;
    reader.at += bytes;
    some = true;
  }
  if (!reader.atEnd) return "bytes follow the last record's attributes";
  return some ? all : "an attributes section without attributes";
}

/** Reads one record's pairs, which fill `section[at .. end)`; returns a sentence where they do not. */
export function readPairs(section: Buffer, at: number, end: number): Attributes | string {
  const attributes: Record<string, string> = Object.create(null) as Record<string, string>;
  const reader = new VarintReader(section, at, end);
  let pairs = 0;
  while (!reader.atEnd) {
    if (++pairs > LIMITS.recordAttributes) return "a record has too many attributes";
    const key = readText(section, reader, end);
    const value = readText(section, reader, end);
    if (key === undefined || value === undefined) return "an attribute is cut off or not UTF-8";
    if (key in attributes) return "an attribute appears twice in one record";
    attributes[key] = value;
  }
  return attributes;
}

function readText(section: Buffer, reader: VarintReader, end: number): string | undefined {
  const bytes = reader.read();
  if (!(bytes <= end - reader.at)) return undefined;
  const text = section.subarray(reader.at, reader.at + bytes);
  if (!isUtf8(text)) return undefined;
  reader.at += bytes;
  return text.toString("utf8");
}
