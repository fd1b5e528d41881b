import { createHash } from "node:crypto";
import { mkdir, readdir, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type GapRange, LIMITS, type RejectedFrame } from "@sluice/protocol";
import type { StreamReader } from "@sluice/tail";

/** Of a batch that holds an over-long line the beginning is kept: more than any other can have. */
const KEPT_BYTES = LIMITS.framePayloadBytes;

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
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const { source, generation } = reader.stream;
  const sourceHash = createHash("sha256").update(source).digest("hex").slice(0, 8);
  const name = `${Date.now()}-${sourceHash}-${generation}-${rejected.firstSeq}.log`;
  await writeFile(join(folder, name), bytes.subarray(0, filled), { mode: 0o600 });
  await trim(folder);
  return { fromByte, toByte, bytes: toByte - fromByte };
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
