import type { StartPolicy } from "./file-source-options.ts";
import type { FileStat, OpenFile } from "./open-file.ts";

const LF = 10;
const STEP_BYTES = 64 * 1024;

/** True where a file that existed before its source is read from byte 0. */
export function startsAtBeginning(policy: StartPolicy, stat: FileStat, wallMs: number): boolean {
  if (policy === "beginning") return true;
  if (policy === "end") return false;
  return Number(stat.mtimeNs / 1_000_000n) >= wallMs - policy.withinMs;
}

/** The offset after the last LF before `sizeBytes`, 0 where there is none. */
export function endOfLastLine(file: OpenFile, sizeBytes: number): number {
  for (let end = sizeBytes; end > 0; end -= STEP_BYTES) {
    const begin = Math.max(0, end - STEP_BYTES);
    const index = file.bytesAt(begin, end - begin).lastIndexOf(LF);
    if (index >= 0) return begin + index + 1;
  }
  return 0;
}
