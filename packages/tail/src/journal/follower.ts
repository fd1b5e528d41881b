import type { ExportEntry } from "./export-parser.ts";
import { ExportParser } from "./export-parser.ts";
import type { JournalEntry } from "./journal-entry.ts";
import { entryLimits, toJournalEntry } from "./journal-entry.ts";
import { abandon, exitFault, spawnFault, tailOf } from "./journalctl.ts";
import type { JournalctlFault, JournalctlProcess } from "./journalctl.ts";

/** Received and not taken: beyond this journalctl is left to wait on its pipe. */
const QUEUE_BYTES = 256 * 1024;
/** What an entry costs besides its message. */
const ENTRY_BYTES = 512;

/** How a process came to its end: by itself with nothing more to say, or not. */
export type FollowerEnd = JournalctlFault | "complete";

/** The entries that one journalctl prints. Holds a bounded number of them, whatever the journal's size. */
export class Follower implements Disposable {
  readonly #child: JournalctlProcess;
  readonly #fields: readonly string[];
  readonly #parser: ExportParser;
  readonly #stderr: () => string;
  readonly #queue: JournalEntry[] = [];
  #next = 0;
  #queuedBytes = 0;
  #receivedBytes = 0;
  #hasBacklog = false;
  #end: FollowerEnd | undefined;
  #wake: (() => void) | undefined;

  constructor(child: JournalctlProcess, fields: readonly string[]) {
    this.#child = child;
    this.#fields = fields;
    this.#parser = new ExportParser(entryLimits(fields));
    this.#stderr = tailOf(child.stderr);
    child.stdout.on("data", (chunk: Buffer) => this.#receive(chunk));
    child.once("error", (error) => this.#finish(spawnFault(error)));
    child.once("close", (code, signal) =>
      this.#finish(code === 0 ? "complete" : exitFault(code, signal, this.#stderr())),
    );
  }

  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  /** Whether journalctl had to wait since the last `rest`. */
  get hasBacklog(): boolean {
    return this.#hasBacklog;
  }

  /** All that has come was taken, and more is waited for. */
  rest(): void {
    this.#hasBacklog = false;
  }

  /** Bytes of output so far: they tell a process that is at work from one that hangs. */
  get receivedBytes(): number {
    return this.#receivedBytes;
  }

  /** What it said on stderr, so far. */
  get complaint(): string {
    return this.#stderr();
  }

  /** Set once nothing more will come; what is queued still has to be taken. */
  get end(): FollowerEnd | undefined {
    return this.#end;
  }

  /** Whether there is an entry to take, or the end to be seen. */
  get hasNews(): boolean {
    return this.peek() !== undefined || this.#end !== undefined;
  }

  peek(): JournalEntry | undefined {
    return this.#queue[this.#next];
  }

  /** Removes the entry that `peek` shows. */
  drop(): void {
    const entry = this.#queue[this.#next];
    if (entry === undefined) {
      throw new Error("nothing to drop");
    }
    this.#queuedBytes -= cost(entry);
    this.#next += 1;
    if (this.#next === this.#queue.length) {
      this.#queue.length = 0;
      this.#next = 0;
    }
    if (this.#queuedBytes < QUEUE_BYTES / 2) {
      this.#child.stdout.resume();
    }
  }

  /** Calls back once, at the next news. */
  set wake(wake: (() => void) | undefined) {
    this.#wake = wake;
  }

  [Symbol.dispose](): void {
    abandon(this.#child);
    this.#wake = undefined;
  }

  #receive(chunk: Buffer): void {
    this.#receivedBytes += chunk.length;
    const { entries, fault } = this.#parser.push(chunk);
    for (const fields of entries) {
      if (!this.#enqueue(fields)) {
        this.#garbled("an entry without a cursor or a time");
        return;
      }
    }
    if (fault !== undefined) {
      this.#garbled(fault);
      return;
    }
    if (this.#queuedBytes >= QUEUE_BYTES) {
      this.#child.stdout.pause();
      this.#hasBacklog = true;
    }
    if (entries.length > 0) {
      this.#wake?.();
    }
  }

  #enqueue(fields: ExportEntry): boolean {
    const entry = toJournalEntry(fields, this.#fields);
    if (entry === undefined) {
      return false;
    }
    this.#queue.push(entry);
    this.#queuedBytes += cost(entry);
    return true;
  }

  #garbled(detail: string): void {
    abandon(this.#child);
    this.#finish({ code: "garbled", detail: `journalctl's output: ${detail}` });
  }

  #finish(end: FollowerEnd): void {
    this.#end ??= end;
    this.#wake?.();
  }
}

function cost({ body }: JournalEntry): number {
  return body.length + ENTRY_BYTES;
}
