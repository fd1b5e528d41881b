import { createHash } from "node:crypto";
import { mkdir, readdir, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type GapRange, LIMITS, type RejectedFrame } from "@sluice/protocol";
import type { EntryReader, StreamKey, StreamReader } from "@sluice/tail";

/** Of a batch that holds an over-long line the beginning is kept: more than any other can have. */
const KEPT_BYTES = LIMITS.framePayloadBytes;
/** A journal that is not read in this time is not waited for: what lies behind the batch is more. */
const KEPT_WAIT_MS = 10_000;

const LF = 0x0a;

/**
 * Reads a rejected batch's bytes again and keeps them in `folder`, one file a batch, for a human.
 * The folder holds at most `LIMITS.deadLetterBytes`; the oldest go first.
 *
 * @returns the byte range of the batch in its source, "unknown" where it cannot be read again
 */
export async function writeDeadLetter(
  folder: string,
  reader: StreamReader,
  from: Uint8Array,
  rejected: RejectedFrame,
): Promise<GapRange | "unknown"> {
  const end = await reader.seek(rejected.cursorAfter);
  const toByte = reader.offset;
  const start = await reader.seek(from);
  const fromByte = reader.offset;
  if (!start.ok || !end.ok || toByte <= fromByte) {
    return "unknown";
  }
  const bytes = Buffer.alloc(Math.min(toByte - fromByte, KEPT_BYTES));
  let filled = 0;
  while (filled < bytes.length) {
    const outcome = await reader.read(bytes, filled, new AbortController().signal);
    if (outcome.kind !== "bytes") {
      break;
    }
    filled += outcome.length;
  }
  await keep(folder, reader.stream, rejected, bytes.subarray(0, filled));
  return { fromByte, toByte, bytes: toByte - fromByte };
}

/**
 * The same of a source that has entries: their bodies, a line feed behind each, as far as they are
 * still there within `KEPT_WAIT_MS`. What is thrown is the reason of `signal`.
 */
export async function writeDeadEntries(
  folder: string,
  reader: EntryReader,
  from: Uint8Array,
  rejected: RejectedFrame,
  signal: AbortSignal,
): Promise<void> {
  const parts: Uint8Array[] = [];
  const isEnough = AbortSignal.timeout(KEPT_WAIT_MS);
  try {
    await readBodies(
      reader,
      from,
      rejected.cursorAfter,
      parts,
      AbortSignal.any([signal, isEnough]),
    );
  } catch (error) {
    signal.throwIfAborted();
    if (!isEnough.aborted) {
      throw error;
    }
  }
  if (parts.length > 0) {
    await keep(folder, reader.stream, rejected, Buffer.concat(parts).subarray(0, KEPT_BYTES));
  }
}

/** Up to the entry that `to` stands behind, or to one that is not there any more. */
async function readBodies(
  reader: EntryReader,
  from: Uint8Array,
  to: Uint8Array,
  parts: Uint8Array[],
  signal: AbortSignal,
): Promise<void> {
  await reader.seek(from);
  for (let bytes = 0; bytes < KEPT_BYTES;) {
    const outcome = await reader.read(signal);
    if (outcome.kind === "idle") {
      await reader.changed(signal);
      continue;
    }
    for (const { body, cursor } of outcome.kind === "entries" ? outcome.entries : []) {
      parts.push(body, Buffer.of(LF));
      bytes += body.length + 1;
      if (Buffer.compare(cursor, to) === 0) {
        return;
      }
    }
    if (outcome.kind === "gap") {
      return;
    }
  }
}

async function keep(
  folder: string,
  { source, generation }: StreamKey,
  { firstSeq }: RejectedFrame,
  bytes: Uint8Array,
): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const sourceHash = createHash("sha256").update(source).digest("hex").slice(0, 8);
  const name = `${Date.now()}-${sourceHash}-${generation}-${firstSeq}.log`;
  await writeFile(join(folder, name), bytes, { mode: 0o600 });
  await trim(folder);
}

async function trim(folder: string): Promise<void> {
  const names = (await readdir(folder)).filter((name) => name.endsWith(".log")).toSorted();
  const sizes = await Promise.all(names.map((name) => sizeOf(join(folder, name))));
  let total = sizes.reduce((sum, size) => sum + size, 0);
  for (const [index, name] of names.entries()) {
    if (total <= LIMITS.deadLetterBytes) {
      return;
    }
    await rm(join(folder, name), { force: true });
    total -= sizes[index] ?? 0;
  }
}

/** 0 for a file that another stream's trim has just removed. */
async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") {
      return 0;
    }
    throw error;
  }
}
