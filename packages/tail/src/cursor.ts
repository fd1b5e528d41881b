import { err, ok } from "@sluice/quantity";
import type { Result } from "@sluice/quantity";
import { HEAD_BYTES, isFingerprint } from "./fingerprint.ts";
import type { FileIdentity, FilePosition } from "./identity.ts";
import type { CursorInvalid } from "./source.ts";

const CURSOR_VERSION = 1;
const UTF8 = new TextDecoder("utf-8", { fatal: true });
export const MAX_CURSOR_BYTES = 4096;

/** What a file cursor says: enough to find the file again when everything else is forgotten. */
export interface FileCursor {
  readonly identity: FileIdentity;
  readonly position: FilePosition;
}

/**
 * UTF-8 JSON, about 150 bytes:
 * `{"v":1,"dev":"64768","ino":"131","born":"0","off":4096,"head":{"len":1024,"hash":""},"anchor":""}`.
 * Device, inode and birth time are decimal strings, since they exceed 2^53.
 */
export function encodeCursor({ identity, position }: FileCursor): Uint8Array {
  return Buffer.from(
    JSON.stringify({
      v: CURSOR_VERSION,
      ...identityFields(identity),
      off: position.offset,
      anchor: position.anchor,
    }),
  );
}

export function decodeCursor(bytes: Uint8Array): Result<FileCursor, CursorInvalid> {
  if (bytes.length > MAX_CURSOR_BYTES) return invalid(`${bytes.length} bytes long`);
  let fields: unknown;
  try {
    fields = JSON.parse(UTF8.decode(bytes));
  } catch {
    return invalid("not JSON");
  }
  if (!isObject(fields)) return invalid("not an object");
  if (fields["v"] !== CURSOR_VERSION) return invalid(`version ${String(fields["v"])}`);
  const identity = parseIdentity(fields);
  if (identity === undefined) return invalid("bad identity");
  const position = parsePosition(fields);
  if (position === undefined) return invalid("bad position");
  return ok({ identity, position });
}

/** The byte offset that a file cursor names; undefined where it is none. */
export function fileOffset(cursor: Uint8Array): number | undefined {
  const decoded = decodeCursor(cursor);
  return decoded.ok ? decoded.value.position.offset : undefined;
}

/** The fields of an identity as cursors and snapshots write them. */
export function identityFields(identity: FileIdentity): Record<string, unknown> {
  return {
    dev: String(identity.dev),
    ino: String(identity.ino),
    born: String(identity.bornNs),
    head: { len: identity.head.length, hash: identity.head.hash },
  };
}

export function parseIdentity(fields: Record<string, unknown>): FileIdentity | undefined {
  const { dev, ino, born, head } = fields;
  if (!isDecimal(dev) || !isDecimal(ino) || !isDecimal(born) || !isObject(head)) return undefined;
  const { len, hash } = head;
  if (!isCount(len) || len > HEAD_BYTES || !isFingerprint(hash)) return undefined;
  return {
    dev: BigInt(dev),
    ino: BigInt(ino),
    bornNs: BigInt(born),
    head: { length: len, hash },
  };
}

export function parsePosition(fields: Record<string, unknown>): FilePosition | undefined {
  const { off, anchor } = fields;
  return isCount(off) && isFingerprint(anchor) ? { offset: off, anchor } : undefined;
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A whole number from 0 to 2^53 - 1. */
export function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

function isDecimal(value: unknown): value is string {
  return typeof value === "string" && /^\d{1,20}$/.test(value);
}

function invalid(detail: string): Result<never, CursorInvalid> {
  return err({ code: "cursor-invalid", detail: `not a file cursor: ${detail}` });
}
