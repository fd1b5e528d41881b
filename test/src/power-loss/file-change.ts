import type { Prng } from "../corpus/prng.ts";
import type { DiskEvent } from "./disk-trace.ts";

/** What a disk writes at once or not at all. */
const SECTOR_BYTES = 512;

export type FileChange = Extract<DiskEvent, { kind: "write" | "cut" }>;

/** A file's bytes after a change; a write behind its end leaves zeros between. */
export function applied(bytes: Buffer, change: FileChange): Buffer {
  if (change.kind === "cut") {
    return Buffer.concat([bytes.subarray(0, change.size)], change.size);
  }
  const { offset = 0 } = change;
  const end = offset + change.bytes.length;
  const grown = Buffer.concat([bytes], Math.max(bytes.length, end));
  change.bytes.copy(grown, offset);
  return grown;
}

/** The first sectors of a write. */
export function torn(change: FileChange, random: Prng): FileChange {
  if (change.kind === "cut") {
    return change;
  }
  const { offset = 0, bytes } = change;
  const sectors =
    Math.ceil((offset + bytes.length) / SECTOR_BYTES) - Math.floor(offset / SECTOR_BYTES);
  const end = (Math.floor(offset / SECTOR_BYTES) + random.below(sectors + 1)) * SECTOR_BYTES;
  return { ...change, bytes: bytes.subarray(0, Math.max(0, end - offset)) };
}

/** Any sectors of a write. */
export function scattered(bytes: Buffer, change: FileChange, random: Prng): Buffer {
  if (change.kind === "cut") {
    return random.below(2) === 0 ? bytes : applied(bytes, change);
  }
  const { offset = 0 } = change;
  let result = bytes;
  for (let from = 0; from < change.bytes.length;) {
    const to = Math.min(
      change.bytes.length,
      from + SECTOR_BYTES - ((offset + from) % SECTOR_BYTES),
    );
    if (random.below(2) === 0) {
      const part = { ...change, offset: offset + from, bytes: change.bytes.subarray(from, to) };
      result = applied(result, part);
    }
    from = to;
  }
  return result;
}
