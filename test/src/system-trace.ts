import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";

/** One system call of a traced process. */
export interface TracedCall {
  readonly thread: number;
  readonly name: string;
  /** As strace prints them, descriptors with what they stand for: `21</data/head.db-wal>`. */
  readonly args: string;
  readonly result: string;
  /** Places in the order of all entries and exits of all threads. */
  readonly enteredAt: number;
  readonly leftAt: number;
}

/** Of the collector's database: what its log is written by is shown whole. */
const PAGE_BYTES = 4096;

const SYNCS = new Set(["fdatasync", "fsync"]);
const SENDS = new Set(["write", "writev", "sendto", "sendmsg"]);

/** Why nothing can be traced here, or undefined where it can. */
export function tracingRefused(): string | undefined {
  const run = spawnSync("strace", ["-f", "-o", "/dev/null", "true"], { encoding: "utf8" });
  if (run.error !== undefined) return "strace is not installed";
  return run.status === 0 ? undefined : `strace may not trace here: ${run.stderr.trim()}`;
}

/**
 * The command that runs another one under strace. `-D` keeps the traced process the direct child,
 * so that signals and exit codes are its own.
 *
 * @param inject strace's expressions for faults, such as `fdatasync:error=EIO:when=20+`
 */
export function traceCommand(file: string, inject: readonly string[] = []): string[] {
  const traced = ["pwrite64", "rename", ...SYNCS, ...SENDS].join(",");
  const faults = inject.flatMap((fault) => ["-e", `inject=${fault}`]);
  return [
    "strace",
    "-D",
    "-f",
    "-q",
    "-yy",
    "-s",
    String(PAGE_BYTES),
    "-o",
    file,
    "-e",
    `trace=${traced}`,
  ].concat(faults);
}

/** The calls that ended, in the order of their entries. */
export function readTrace(file: string): TracedCall[] {
  const calls: TracedCall[] = [];
  const open = new Map<number, { name: string; args: string; enteredAt: number }>();
  for (const [at, line] of readFileSync(file, "latin1").split("\n").entries()) {
    const [, pid = "", text = ""] = /^(\d+) +(.*)$/.exec(line) ?? [];
    const thread = Number(pid);
    const resumed = /^<\.\.\. (\w+) resumed>(.*?)\) += (.*)$/.exec(text);
    const whole = /^(\w+)\((.*)\) += (.*)$/.exec(text);
    const begun = /^(\w+)\((.*?),? *<unfinished \.\.\.>$/.exec(text);
    if (begun !== null) {
      const [, name = "", args = ""] = begun;
      open.set(thread, { name, args, enteredAt: at });
    } else if (resumed !== null) {
      const [, name = "", rest = "", result = ""] = resumed;
      const entry = open.get(thread);
      open.delete(thread);
      if (entry?.name === name) {
        calls.push({ thread, ...entry, args: entry.args + rest, result, leftAt: at });
      }
    } else if (whole !== null) {
      const [, name = "", args = "", result = ""] = whole;
      calls.push({ thread, name, args, result, enteredAt: at, leftAt: at });
    }
  }
  return calls.toSorted((a, b) => a.enteredAt - b.enteredAt);
}

/** A write to the write-ahead log of the collector's database. */
export function isLogWrite({ name, args }: TracedCall): boolean {
  return name === "pwrite64" && /^\d+<[^>]*\/head\.db-wal>/.test(args);
}

export function isLogSync({ name, args }: TracedCall): boolean {
  return SYNCS.has(name) && /^\d+<[^>]*\/head\.db-wal>/.test(args);
}

/** A sync of a file or folder. */
export function isSyncOf({ name, args, result }: TracedCall, path: string): boolean {
  return SYNCS.has(name) && args.includes(`<${path}>`) && result === "0";
}

/** Bytes leaving through a socket. */
export function isSent({ name, args }: TracedCall): boolean {
  return SENDS.has(name) && /^\d+<TCP/.test(args);
}

/** An `ack` leaving through a socket. */
export function isAckSent({ name, args }: TracedCall): boolean {
  return SENDS.has(name) && /^\d+<TCP/.test(args) && args.includes(String.raw`{\"type\":\"ack\"`);
}
