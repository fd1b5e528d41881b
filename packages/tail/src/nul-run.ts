import type { OpenFile } from "./open-file.ts";

/** A run of that many NUL bytes is a hole: a page, the least that a file system leaves out. */
export const HOLE_BYTES = 4096;
/** Looks at so much at a time when a run goes on; nothing of it is kept. */
const STEP_BYTES = 1024 * 1024;

export interface NulRun {
  readonly start: number;
  readonly end: number;
}

/** The first run of at least {@link HOLE_BYTES}, or else one at the end, which may go on behind it. */
export function findNulRun(bytes: Uint8Array): NulRun | undefined {
  // Wherever a long run lies, one of these is within it.
  for (let at = 0; at < bytes.length; at += HOLE_BYTES) {
    if (bytes[at] !== 0) continue;
    const run = runAround(bytes, at);
    if (run.end - run.start >= HOLE_BYTES || run.end === bytes.length) return run;
  }
  return bytes.at(-1) === 0 ? runAround(bytes, bytes.length - 1) : undefined;
}

/** Where the run that begins at `from` ends: at another byte, or at the end of the file. */
export async function nulRunEnd(file: OpenFile, from: number): Promise<number> {
  const step = Buffer.allocUnsafeSlow(STEP_BYTES);
  const nuls = Buffer.alloc(STEP_BYTES);
  for (let offset = from; ; offset += STEP_BYTES) {
    const got = await file.readInto([step], offset);
    if (step.compare(nuls, 0, got, 0, got) !== 0) {
      return offset + step.subarray(0, got).findIndex((byte) => byte !== 0);
    }
    if (got < STEP_BYTES) return offset + got;
  }
}

/** True where the file has a hole at `offset`. */
export function beginsHole(file: OpenFile, offset: number): boolean {
  const bytes = file.bytesAt(offset, HOLE_BYTES);
  return bytes.length === HOLE_BYTES && bytes.every((byte) => byte === 0);
}

function runAround(bytes: Uint8Array, at: number): NulRun {
  let start = at;
  while (start > 0 && bytes[start - 1] === 0) start -= 1;
  let end = at + 1;
  while (end < bytes.length && bytes[end] === 0) end += 1;
  return { start, end };
}
