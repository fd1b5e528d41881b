import { readFileSync } from "node:fs";

/** What a process has taken so far, as Linux accounts for it (proc(5): stat and status). */
export interface ProcessUsage {
  readonly cpuSeconds: number;
  readonly rssBytes: number;
  /** What of it is the process's own; the rest is code in files, which others share. */
  readonly ownBytes: number;
  readonly peakRssBytes: number;
}

/** USER_HZ: 100 on every Linux that Node supports. */
const TICKS_PER_SECOND = 100;

export function processUsage(pid: number): ProcessUsage {
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  // The name, in parentheses, may hold anything: fields are counted behind its last one.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const ticks = Number(fields[11]) + Number(fields[12]);
  const status = readFileSync(`/proc/${pid}/status`, "latin1");
  return {
    cpuSeconds: ticks / TICKS_PER_SECOND,
    rssBytes: statusBytes(status, "VmRSS"),
    ownBytes: statusBytes(status, "RssAnon"),
    peakRssBytes: statusBytes(status, "VmHWM"),
  };
}

function statusBytes(status: string, field: string): number {
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, "m").exec(status)?.[1] ?? 0) * 1024;
}
