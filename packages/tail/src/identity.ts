import type { TruncatedReason } from "./event.ts";
import { ANCHOR_BYTES, fingerprint, HEAD_BYTES } from "./fingerprint.ts";
import type { FileStat, OpenFile } from "./open-file.ts";

/** A fingerprint over the first `length` bytes, 0 to {@link HEAD_BYTES}. */
export interface HeadPrint {
  readonly length: number;
  readonly hash: string;
}

export interface FileIdentity {
  readonly dev: bigint;
  readonly ino: bigint;
  /** 0 where it is not known: then only the content tells a reused inode number. */
  readonly bornNs: bigint;
  readonly head: HeadPrint;
}

export interface FilePosition {
  readonly offset: number;
  /** The fingerprint of the up to {@link ANCHOR_BYTES} bytes before `offset`. */
  readonly anchor: string;
}

/** The anchor of bytes that are gone: no file answers to it. */
export const LOST_ANCHOR = "-";
/** The anchor of bytes that are not at hand any more, of a file that is right: any answers to it. */
export const UNKNOWN_ANCHOR = "";

export function identify(file: OpenFile, stat: FileStat): FileIdentity {
  return { dev: stat.dev, ino: stat.ino, bornNs: stat.bornNs, head: headOf(file) };
}

function headOf(file: OpenFile): HeadPrint {
  return printOf(file.bytesAt(0, HEAD_BYTES));
}

/** NUL bytes at the end may be space that the writer has reserved, and writes over. */
function printOf(bytes: Uint8Array): HeadPrint {
  const length = bytes.findLastIndex((byte) => byte !== 0) + 1;
  return { length, hash: fingerprint(bytes.subarray(0, length)) };
}

/** The head as it is now where it still begins with `head`, else undefined. */
export function grownHead(file: OpenFile, head: HeadPrint): HeadPrint | undefined {
  const bytes = file.bytesAt(0, HEAD_BYTES);
  if (bytes.length < head.length) return undefined;
  if (fingerprint(bytes.subarray(0, head.length)) !== head.hash) return undefined;
  if (head.length === HEAD_BYTES) return head;
  const grown = printOf(bytes);
  return grown.length > head.length ? grown : head;
}

/** Undefined where the file ends before `offset`. */
export function positionAt(file: OpenFile, offset: number): FilePosition | undefined {
  const length = Math.min(ANCHOR_BYTES, offset);
  const bytes = file.bytesAt(offset - length, length);
  return bytes.length < length ? undefined : { offset, anchor: fingerprint(bytes) };
}

/** Where the file ends; undefined where that may be space that its writer has reserved. */
export function tipOf(file: OpenFile, { sizeBytes }: FileStat): FilePosition | undefined {
  const isReserved = file.bytesAt(Math.max(0, sizeBytes - 1), 1)[0] === 0;
  return isReserved ? undefined : positionAt(file, sizeBytes);
}

/** The bytes that a position's anchor is of; undefined where others stand there. */
export function anchorAt(file: OpenFile, { offset, anchor }: FilePosition): Uint8Array | undefined {
  const length = Math.min(ANCHOR_BYTES, offset);
  const bytes = file.bytesAt(offset - length, length);
  return anchor === UNKNOWN_ANCHOR || fingerprint(bytes) === anchor ? bytes : undefined;
}

/** True where the position found at an offset is the one that was noted. */
export function isAnswer(found: FilePosition | undefined, noted: FilePosition): boolean {
  return (
    found?.offset === noted.offset &&
    (noted.anchor === UNKNOWN_ANCHOR || noted.anchor === found.anchor)
  );
}

/** Same device, inode number and, where both are known, birth time. */
export function isSameObject(
  identity: Omit<FileIdentity, "head">,
  stat: Omit<FileIdentity, "head">,
): boolean {
  if (identity.dev !== stat.dev || identity.ino !== stat.ino) return false;
  return identity.bornNs === 0n || stat.bornNs === 0n || identity.bornNs === stat.bornNs;
}

/** True where the file begins with `head` and the position's anchor stands before its offset. */
export function hasContent(file: OpenFile, head: HeadPrint, position: FilePosition): boolean {
  return (
    grownHead(file, head) !== undefined && isAnswer(positionAt(file, position.offset), position)
  );
}

/** Compares the first and the last bytes of `copy` with the same ranges of `original`. */
export function isPrefixOf(copy: OpenFile, original: OpenFile): boolean {
  const { sizeBytes } = copy.stat();
  const length = Math.min(HEAD_BYTES, sizeBytes);
  return [0, sizeBytes - length].every((position) => {
    const ours = copy.bytesAt(position, length);
    return Buffer.compare(ours, original.bytesAt(position, length)) === 0;
  });
}

/** Undefined where the open file is the one that was read up to `position`, and seen up to `tip`. */
export function mismatch(
  file: OpenFile,
  stat: FileStat,
  identity: FileIdentity,
  position: FilePosition,
  tip: FilePosition | undefined,
): TruncatedReason | undefined {
  if (!isSameObject(identity, stat)) return "replaced";
  if (stat.sizeBytes < Math.max(position.offset, identity.head.length)) return "shrunk";
  if (!hasContent(file, identity.head, position)) return "regrown";
  // Of a file that is read, the bytes before the position say more.
  if (tip === undefined || position.offset > 0) return undefined;
  if (stat.sizeBytes < tip.offset) return "shrunk";
  return isAnswer(positionAt(file, tip.offset), tip) ? undefined : "regrown";
}

export function inodeKey(file: { readonly dev: bigint; readonly ino: bigint }): string {
  return `${file.dev}:${file.ino}`;
}
