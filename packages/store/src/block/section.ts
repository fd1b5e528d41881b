import { Buffer } from "node:buffer";
import { promisify } from "node:util";
import {
  constants,
  crc32,
  zstdCompress,
  zstdCompressSync,
  zstdDecompressSync,
  type ZstdOptions,
} from "node:zlib";
import { VarintReader, readZstdFrame, writeVarint } from "@sluice/protocol/wire";
import { type Result, err, ok } from "@sluice/quantity";
import { type BlockError, badBlock } from "./block-error.ts";
import { compressParams } from "./compress-params.ts";
import type { BlockDictionary } from "./dictionary.ts";

/**
 * A blob of sections, each compressed by itself:
 *
 *     version (1 byte) | crc32 of what follows (u32 LE) | id of the dictionary, or 0 (u32 LE)
 *     | number of sections | raw and stored size of each | sections
 *
 * Numbers are varints. The dictionary is for the first section alone. A section whose stored size is its raw size is stored as it is, any other is one zstd frame. One
 * checksum stands for all: it covers the few compressed bytes instead of the many raw ones.
 */
const VERSION = 1;
const CHECKED_FROM = 5;
const HEAD_BYTES = 9;
const zstdOnPool = promisify<Uint8Array, ZstdOptions, Buffer>(zstdCompress);
const MAX_SECTIONS = 32;
/** More than any block may inflate to: one batch at its limits and a shared block with room to spare. */
const MAX_RAW_BYTES = 64 * 1024 * 1024;
/** Below this zstd saves little, and each call of it costs 70 us. */
const MIN_ZSTD_BYTES = 512;
const MAX_WINDOW_LOG = 26;

/** Packs sections at a level, the first against a dictionary. Throws a RangeError where they could not be unpacked. */
export function packSections(
  sections: readonly Uint8Array[],
  level: number,
  dictionary?: BlockDictionary,
): Buffer {
  checkSize(sections);
  const stored = sections.map((section, i) =>
    compress(section, level, i === 0 ? dictionary : undefined),
  );
  return join(sections, stored, dictionary);
}

/** The same, the first section being compressed by the thread pool. It must not change until this resolves. */
export async function packSectionsOnPool(
  sections: readonly Uint8Array[],
  level: number,
  dictionary?: BlockDictionary,
): Promise<Buffer> {
  checkSize(sections);
  const [first = new Uint8Array(), ...rest] = sections;
  const large =
    first.length < MIN_ZSTD_BYTES
      ? first
      : smaller(first, await zstdOnPool(first, compressOptions(first.length, level, dictionary)));
  const stored = [large, ...rest.map((section) => compress(section, level))];
  return join(sections, stored, dictionary);
}

function checkSize(sections: readonly Uint8Array[]): void {
  const rawBytes = sections.reduce((sum, section) => sum + section.length, 0);
  if (rawBytes > MAX_RAW_BYTES) throw new RangeError(`sections of ${rawBytes} bytes in one block`);
}

function join(
  sections: readonly Uint8Array[],
  stored: readonly Uint8Array[],
  dictionary: BlockDictionary | undefined,
): Buffer {
  const head = Buffer.alloc(HEAD_BYTES + 8 * (2 * sections.length + 1));
  let at = writeVarint(head, HEAD_BYTES, sections.length);
  sections.forEach((section, i) => {
    at = writeVarint(head, at, section.length);
    at = writeVarint(head, at, stored[i]?.length ?? 0);
  });
  const blob = Buffer.concat([head.subarray(0, at), ...stored]);
  blob[0] = VERSION;
  blob.writeUInt32LE(dictionary?.id ?? 0, CHECKED_FROM);
  blob.writeUInt32LE(crc32(blob.subarray(CHECKED_FROM)), 1);
  return blob;
}

function compress(section: Uint8Array, level: number, dictionary?: BlockDictionary): Uint8Array {
  if (section.length < MIN_ZSTD_BYTES) return section;
  return smaller(
    section,
    zstdCompressSync(section, compressOptions(section.length, level, dictionary)),
  );
}

/** The section as it is where it does not shrink. */
function smaller(section: Uint8Array, compressed: Buffer): Uint8Array {
  // Node may add an empty frame where the output ends with a chunk.
  const frame = compressed.subarray(0, readZstdFrame(compressed)?.frameBytes);
  return frame.length < section.length ? frame : section;
}

function compressOptions(rawBytes: number, level: number, dictionary?: BlockDictionary) {
  return {
    params: compressParams(level),
    pledgedSrcSize: rawBytes,
    chunkSize: Math.max(1024, rawBytes >>> 2),
    ...(dictionary === undefined ? {} : { dictionary: dictionary.bytes }),
  };
}

/** The sections of a blob, each inflated when it is asked for; what is stored as it is stays a view of the blob. */
export interface Sections {
  readonly count: number;
  /** Of the section before compression; 0 where there is none. */
  rawBytes(section: number): number;
  /** Undefined where there is no such section, or it cannot be inflated. */
  inflate(section: number): Buffer | undefined;
}

/**
 * Unpacks all sections of a blob, which state `rawBytes` bytes in sum. Allocates no more than that; what is stored as it
 * is stays a view of the blob.
 */
export function unpackSections(
  blob: Uint8Array,
  rawBytes: number,
  dictionary?: BlockDictionary,
): Result<Buffer[], BlockError> {
  const opened = openSections(blob, rawBytes, dictionary);
  if (!opened.ok) return opened;
  const sections: Buffer[] = [];
  for (let i = 0; i < opened.value.count; i++) {
    const section = opened.value.inflate(i);
    if (section === undefined) return badBlock("a section cannot be inflated");
    sections.push(section);
  }
  return ok(sections);
}

/** Checks a blob and finds its sections, which state `rawBytes` bytes in sum, without inflating any. */
export function openSections(
  blob: Uint8Array,
  rawBytes: number,
  dictionary?: BlockDictionary,
): Result<Sections, BlockError> {
  if (!(rawBytes >= 0 && rawBytes <= MAX_RAW_BYTES))
    return err({ code: "limit_exceeded", detail: `a block of ${rawBytes} bytes` });
  const bytes = Buffer.from(blob.buffer, blob.byteOffset, blob.length);
  if (bytes.length <= HEAD_BYTES) return badBlock("the block is cut off");
  if (bytes[0] !== VERSION)
    return err({ code: "unknown_version", detail: `a block of version ${bytes[0]}` });
  if (crc32(bytes.subarray(CHECKED_FROM)) !== bytes.readUInt32LE(1))
    return badBlock("the block's checksum is another");
  const dictionaryId = bytes.readUInt32LE(CHECKED_FROM);
  if (dictionaryId !== 0 && dictionaryId !== dictionary?.id)
    return err({ code: "wrong_dictionary", detail: "the block needs another dictionary" });
  const reader = new VarintReader(bytes, HEAD_BYTES, bytes.length);
  const count = reader.read();
  if (!(count <= MAX_SECTIONS)) return badBlock("the number of sections is out of range");
  const sizes = Array.from({ length: count }, () => ({
    raw: reader.read(),
    stored: reader.read(),
  }));
  const total = sizes.reduce((sum, size) => sum + size.raw, 0);
  const stored = sizes.reduce((sum, size) => sum + size.stored, 0);
  if (total !== rawBytes) return badBlock("the sections are of another size than stated");
  if (stored !== bytes.length - reader.at) return badBlock("the sections do not fill the block");
  let at = reader.at;
  const places = sizes.map((size) => ({ ...size, at: (at += size.stored) - size.stored }));
  return ok({
    count,
    rawBytes: (section) => places[section]?.raw ?? 0,
    inflate: (section) => {
      const place = places[section];
      if (place === undefined) return undefined;
      const base = section === 0 && dictionaryId !== 0 ? dictionary : undefined;
      return inflate(bytes.subarray(place.at, place.at + place.stored), place.raw, base);
    },
  });
}

function inflate(
  stored: Buffer,
  rawBytes: number,
  dictionary: BlockDictionary | undefined,
): Buffer | undefined {
  if (stored.length === rawBytes) return stored;
  const frame = readZstdFrame(stored);
  if (frame?.frameBytes !== stored.length || frame.contentBytes !== rawBytes) return undefined;
  try {
    const raw = zstdDecompressSync(stored, {
      params: { [constants.ZSTD_d_windowLogMax]: MAX_WINDOW_LOG },
      maxOutputLength: rawBytes,
      ...(dictionary === undefined ? {} : { dictionary: dictionary.bytes }),
      // One byte more than the section: zlib asks for another chunk where one is filled to its end.
      chunkSize: Math.max(64, rawBytes + 1),
    });
    return raw.length === rawBytes ? raw : undefined;
  } catch {
    return undefined;
  }
}
