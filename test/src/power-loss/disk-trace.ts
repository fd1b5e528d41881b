import { readTrace, type TracedCall } from "../system-trace.ts";

/** What a process did to the files below a folder, and what it said, in the order of time. */
export type DiskEvent =
  | { readonly kind: "create"; readonly path: string; readonly endedAt: number }
  | { readonly kind: "make-folder"; readonly path: string; readonly endedAt: number }
  | {
      readonly kind: "write";
      readonly path: string;
      /** Undefined for a write behind the one before. */
      readonly offset: number | undefined;
      readonly bytes: Buffer;
      readonly endedAt: number;
    }
  | { readonly kind: "cut"; readonly path: string; readonly size: number; readonly endedAt: number }
  | {
      readonly kind: "rename";
      readonly path: string;
      readonly to: string;
      readonly endedAt: number;
    }
  | { readonly kind: "link"; readonly path: string; readonly to: string; readonly endedAt: number }
  | { readonly kind: "unlink"; readonly path: string; readonly endedAt: number }
  /** A sync that has ended; it began at `begunAt`. */
  | { readonly kind: "sync"; readonly path: string; readonly begunAt: number }
  /** A line on its standard output, at the latest moment before anybody can have read it. */
  | { readonly kind: "said"; readonly line: string };

const NO_BYTES = Buffer.alloc(0);

/** Calls that change files, or say what is durable. Memory that is mapped (SQLite's `-shm`) is no part of it. */
const CALLS =
  "openat,pwrite64,write,ftruncate,fsync,fdatasync,rename,renameat2,unlink,link,mkdir,rmdir";

/** The command that runs another one and records what it does to files, with every byte. */
export function recordCommand(file: string): string[] {
  const head = ["strace", "-D", "-f", "--seccomp-bpf", "-q", "-y", "-xx", "-s", "100000000"];
  return [...head, "-o", file, "-e", `trace=${CALLS}`, "-e", "signal=none"];
}

/**
 * Reads what `recordCommand` recorded. Events are in the order in which they count: changes when they begin,
 * since part of one may be on the disk before it ends; syncs when they have ended.
 */
export function readDiskTrace(file: string): DiskEvent[] {
  const placed = readTrace(file).flatMap((call) => {
    const event = eventOf(call);
    const at = event?.kind === "sync" ? call.leftAt : call.enteredAt;
    return event === undefined ? [] : [{ at, event }];
  });
  return placed.toSorted((a, b) => a.at - b.at).map(({ event }) => event);
}

function eventOf({ name, args, result, enteredAt, leftAt }: TracedCall): DiskEvent | undefined {
  if (result.startsWith("-") || result.startsWith("?")) {
    return undefined;
  }
  const endedAt = leftAt;
  const [first = NO_BYTES, second = NO_BYTES] = stringsOf(args);
  const opened = pathOfDescriptor(args);
  switch (name) {
    case "openat":
      if (args.includes("O_TRUNC")) {
        throw new Error(`a file that is cut while it is opened: ${first.toString()}`);
      }
      return args.includes("O_CREAT")
        ? { kind: "create", path: first.toString(), endedAt }
        : undefined;
    case "mkdir":
      return { kind: "make-folder", path: first.toString(), endedAt };
    case "pwrite64": {
      const offset = Number(/, (\d+)$/.exec(args)?.[1]);
      const bytes = first.subarray(0, Number(result));
      return { kind: "write", path: opened, offset, bytes, endedAt };
    }
    case "write":
      return args.startsWith("1<")
        ? { kind: "said", line: first.toString() }
        : { kind: "write", path: opened, offset: undefined, bytes: first, endedAt };
    case "ftruncate":
      return { kind: "cut", path: opened, size: Number(/, (\d+)$/.exec(args)?.[1]), endedAt };
    case "rename":
    case "link":
      return { kind: name, path: first.toString(), to: second.toString(), endedAt };
    case "unlink":
      return { kind: "unlink", path: first.toString(), endedAt };
    case "fsync":
    case "fdatasync":
      return { kind: "sync", path: opened, begunAt: enteredAt };
    default:
      throw new Error(`a call that the model of a disk does not know: ${name}(${args})`);
  }
}

/** The quoted strings of a call, each as the bytes that its hexadecimal escapes stand for. */
function stringsOf(args: string): Buffer[] {
  return Array.from(args.matchAll(/"((?:\\x[0-9a-f]{2})*)"/g), ([, text = ""]) => unescape(text));
}

/** What the descriptor that a call begins with stood for. */
function pathOfDescriptor(args: string): string {
  return unescape(/^\d+<((?:\\x[0-9a-f]{2})*)>/.exec(args)?.[1] ?? "").toString();
}

function unescape(text: string): Buffer {
  return Buffer.from(text.replaceAll(String.raw`\x`, ""), "hex");
}
