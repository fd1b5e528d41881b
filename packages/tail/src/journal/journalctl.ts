import { type ChildProcessByStdio, spawn } from "node:child_process";
import type { Readable } from "node:stream";
import { err, ok } from "@sluice/quantity";
import type { Result } from "@sluice/quantity";

import { ExportParser } from "./export-parser.ts";
import type { JournalPosition } from "./journal-position.ts";

export type JournalctlProcess = ChildProcessByStdio<null, Readable, Readable>;

export interface JournalSelection {
  readonly directory: string | undefined;
  readonly match: readonly string[];
  readonly units: readonly string[];
}

/** journalctl gave no answer. */
export interface JournalctlFault {
  readonly code: "missing" | "failed" | "hung" | "garbled";
  readonly detail: string;
}

/** One entry's cursor; undefined where there is no such entry. */
type Answer = Result<string | undefined, JournalctlFault>;

const STDERR_CHARS = 2_000;

/**
 * Runs journalctl on one journal. Entries come in the export format, which is binary safe; `--all`
 * lifts the limit on long fields.
 */
export class Journalctl {
  readonly #selection: JournalSelection;
  readonly #answerMs: number;

  constructor(selection: JournalSelection, answerMs: number) {
    this.#selection = selection;
    this.#answerMs = answerMs;
  }

  get isFiltered(): boolean {
    return this.#selection.match.length > 0 || this.#selection.units.length > 0;
  }

  /**
   * Whether one process both catches up and follows. From systemd 250 on `--follow` shows the newest
   * boot alone, whatever cursor it is given, unless `--merge` is there; which on this machine's own
   * journal would add those of its containers. So that one is read to its end first.
   */
  get followsFromAnywhere(): boolean {
    return this.#selection.directory !== undefined;
  }

  /**
   * Prints the entries from a position on, the entry of an `after` included: only so can be seen
   * whether it is still there. `--after-cursor` would skip whatever comes first in its place.
   */
  read(
    position: JournalPosition,
    { follow, fields }: { readonly follow: boolean; readonly fields: readonly string[] },
  ): JournalctlProcess {
    const args = [
      "--all",
      "--no-tail",
      `--output-fields=${fields.join(",")}`,
      ...(follow ? ["--follow"] : []),
      ...(follow && this.followsFromAnywhere ? ["--merge"] : []),
      ...(position.kind === "beginning" ? [] : [`--cursor=${position.entry}`]),
    ];
    return this.#spawn([...args, ...this.#filters()]);
  }

  newest(signal: AbortSignal): Promise<Answer> {
    return this.#ask(["--lines=1"], signal);
  }

  newestMatching(signal: AbortSignal): Promise<Answer> {
    return this.#ask(["--lines=1", ...this.#filters()], signal);
  }

  oldest(signal: AbortSignal): Promise<Answer> {
    return this.#ask([], signal);
  }

  /** The entry itself where it is still there, else what takes its place in the order. */
  at(entry: string, signal: AbortSignal): Promise<Answer> {
    return this.#ask([`--cursor=${entry}`, "--lines=1"], signal);
  }

  /** @param timeUs microseconds since the epoch */
  oldestSince(timeUs: bigint, signal: AbortSignal): Promise<Answer> {
    const seconds = timeUs / 1_000_000n;
    const rest = String(timeUs % 1_000_000n).padStart(6, "0");
    return this.#ask([`--since=@${seconds}.${rest}`], signal);
  }

  #filters(): string[] {
    const { match, units } = this.#selection;
    return [...units.map((unit) => `--unit=${unit}`), ...match];
  }

  #spawn(args: readonly string[]): JournalctlProcess {
    const { directory } = this.#selection;
    const where = directory === undefined ? [] : [`--directory=${directory}`];
    return spawn("journalctl", ["--output=export", "--no-pager", ...where, ...args], {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, LC_ALL: "C", SYSTEMD_COLORS: "0" },
    });
  }

  /** The cursor of the first entry that journalctl prints; it is not let print more. */
  #ask(args: readonly string[], signal: AbortSignal): Promise<Answer> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(signal.reason as Error);
        return;
      }
      const child = this.#spawn(["--output-fields=_BOOT_ID", ...args]);
      const parser = new ExportParser(new Map([["__CURSOR", 1024]]));
      const stderr = tailOf(child.stderr);
      const settle = (settled: () => void): void => {
        clearTimeout(timer);
        signal.removeEventListener("abort", onAbort);
        abandon(child);
        settled();
      };
      const answer = (result: Answer): void => settle(() => resolve(result));
      const onAbort = (): void => settle(() => reject(signal.reason as Error));
      const timer = setTimeout(() => {
        const detail = `journalctl gave no answer within ${this.#answerMs} ms`;
        answer(err({ code: "hung", detail }));
      }, this.#answerMs);
      signal.addEventListener("abort", onAbort, { once: true });
      child.stdout.on("data", (chunk: Buffer) => {
        const { entries, fault } = parser.push(chunk);
        const cursor = entries[0]?.get("__CURSOR")?.bytes.toString("latin1");
        if (entries.length > 0 && cursor !== undefined) {
          answer(ok(cursor));
        } else if (entries.length > 0 || fault !== undefined) {
          const detail = `journalctl's output: ${fault ?? "an entry without a cursor"}`;
          answer(err({ code: "garbled", detail }));
        }
      });
      child.once("error", (error) => answer(err(spawnFault(error))));
      child.once("close", (code, ended) =>
        answer(code === 0 ? ok(undefined) : err(exitFault(code, ended, stderr()))),
      );
    });
  }
}

/** Kills a process that is not needed any more, and does not wait for it: it may be beyond signals. */
export function abandon(child: JournalctlProcess): void {
  child.removeAllListeners();
  child.on("error", () => undefined);
  child.stdout.destroy();
  child.stderr.destroy();
  child.kill("SIGKILL");
  child.unref();
}

/** The end of what a process says on stderr, so far. */
export function tailOf(stderr: Readable): () => string {
  let text = "";
  stderr.setEncoding("utf8");
  stderr.on("data", (more: string) => (text = (text + more).slice(-STDERR_CHARS)));
  return () => text.trim();
}

export function spawnFault(error: Error): JournalctlFault {
  return "code" in error && error.code === "ENOENT"
    ? { code: "missing", detail: "there is no journalctl on the PATH" }
    : { code: "failed", detail: `journalctl cannot be run: ${error.message}` };
}

export function exitFault(
  code: number | null,
  signal: NodeJS.Signals | null,
  stderr: string,
): JournalctlFault {
  const how = code === null ? `ended by ${signal}` : `ended with code ${code}`;
  return { code: "failed", detail: `journalctl ${how}${stderr === "" ? "" : `: ${stderr}`}` };
}
