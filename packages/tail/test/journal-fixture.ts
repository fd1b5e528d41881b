import { execFileSync, spawnSync } from "node:child_process";
import {
  chmodSync,
  closeSync,
  existsSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";

import type { TailEvent } from "../src/event.ts";
import { JournalSource } from "../src/journal/journal-source.ts";
import type { JournalSourceOptions, JournalTiming } from "../src/journal/journal-source-options.ts";
import type {
  EntryOutcome,
  EntryReader,
  LogEntry,
  StreamChange,
  StreamKey,
} from "../src/source.ts";
import { Folder } from "./tail-fixture.ts";

const JOURNAL_REMOTE = "/lib/systemd/systemd-journal-remote";

/** Why tests on real journals cannot run here; undefined where they can. */
export const NO_JOURNALS: string | undefined = !existsSync(JOURNAL_REMOTE)
  ? "needs Debian's systemd-journal-remote"
  : spawnSync("journalctl", ["--version"]).status === 0
    ? undefined
    : "needs journalctl";

/** Nothing is waited for but what a test is about. */
export const EAGER_JOURNAL_TIMING: JournalTiming = {
  lookMs: 60_000,
  graceMs: 20,
  answerMs: 5_000,
  checkMs: 0,
  retryMinMs: 5,
  retryMaxMs: 40,
};

export const BOOT = "a".repeat(32);
const NUMBERING = "5".repeat(32);
const EPOCH_US = 1_700_000_000_000_000n;

export type TestEntry = Readonly<Record<string, string | Buffer>>;

/** Entries in the Journal Export Format; what is not plain text goes as binary. */
export function exportOf(entries: readonly TestEntry[]): Buffer {
  const parts = entries.flatMap((entry) => [
    ...Object.entries(entry).map(([name, value]) => exportField(name, value)),
    Buffer.from("\n"),
  ]);
  return Buffer.concat(parts);
}

export function exportField(name: string, value: string | Buffer): Buffer {
  if (typeof value === "string" && !value.includes("\n")) {
    return Buffer.from(`${name}=${value}\n`);
  }
  const bytes = Buffer.from(value);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(bytes.length));
  return Buffer.concat([Buffer.from(`${name}\n`), length, bytes, Buffer.from("\n")]);
}

/** A folder of real journal files, numbered on from one to the next as journald's rotation leaves them. */
export class TestJournal implements Disposable {
  // journal-remote syncs what it writes: in memory that costs nothing.
  readonly #folder = new Folder(existsSync("/dev/shm") ? "/dev/shm" : "/tmp");
  readonly dir = this.#folder.at("journal");
  #next = 1n;

  constructor() {
    mkdirSync(this.dir);
  }

  /** Entries so far. */
  get count(): number {
    return Number(this.#next) - 1;
  }

  /** A further file with these entries, under the name of an archived one: the path. */
  add(entries: readonly TestEntry[]): string {
    const first = this.#next;
    const input = this.#folder.at("input.export");
    const output = this.#folder.at("output.journal");
    const timed = entries.map((entry, index) => this.#timed(entry, first + BigInt(index)));
    writeFileSync(input, exportOf(timed));
    execFileSync(JOURNAL_REMOTE, ["-o", output, input], { stdio: "ignore" });
    const file = readFileSync(output);
    rmSync(output);
    renumber(file, first);
    writeSparse(output, file);
    this.#next += BigInt(entries.length);
    const path = join(
      this.dir,
      `system@${NUMBERING}-${hex(first)}-${hex(EPOCH_US + first * 1000n)}.journal`,
    );
    renameSync(output, path);
    return path;
  }

  /** As journald does it, but for the size: the oldest files go. */
  vacuum(files: number): void {
    execFileSync("journalctl", [`--directory=${this.dir}`, `--vacuum-files=${files}`], {
      stdio: "ignore",
    });
  }

  [Symbol.dispose](): void {
    this.#folder[Symbol.dispose]();
  }

  #timed(entry: TestEntry, number: bigint): TestEntry {
    return {
      __REALTIME_TIMESTAMP: String(EPOCH_US + number * 1000n),
      __MONOTONIC_TIMESTAMP: String(1_000_000n + number * 1000n),
      _BOOT_ID: BOOT,
      ...entry,
    };
  }
}

function hex(value: bigint): string {
  return value.toString(16).padStart(16, "0");
}

/** Offsets in a journal file and its objects (https://systemd.io/JOURNAL_FILE_FORMAT/). */
const HEADER = { seqnumId: 72, headerSize: 88, tailObject: 136, tailSeqnum: 160, headSeqnum: 168 };
const OBJECT = { size: 8, seqnum: 16 };
const ENTRY_OBJECT = 3;

/** journal-remote begins each file at 1 under a numbering of its own; journald goes on. */
function renumber(file: Buffer, first: bigint): void {
  const add = (offset: number): void => {
    file.writeBigUInt64LE(file.readBigUInt64LE(offset) + first - 1n, offset);
  };
  file.write(NUMBERING, HEADER.seqnumId, "hex");
  add(HEADER.headSeqnum);
  add(HEADER.tailSeqnum);
  const tail = Number(file.readBigUInt64LE(HEADER.tailObject));
  for (let at = Number(file.readBigUInt64LE(HEADER.headerSize)); at <= tail;) {
    if (file[at] === ENTRY_OBJECT) {
      add(at + OBJECT.seqnum);
    }
    at += Math.ceil(Number(file.readBigUInt64LE(at + OBJECT.size)) / 8) * 8;
  }
}

const BLOCK = Buffer.alloc(16 * 1024);

/** Each file is made 8 MB large, most of it zeros: those take no room. */
function writeSparse(path: string, file: Buffer): void {
  const fd = openSync(path, "w");
  ftruncateSync(fd, file.length);
  for (let at = 0; at < file.length; at += BLOCK.length) {
    const block = file.subarray(at, at + BLOCK.length);
    if (!block.equals(BLOCK.subarray(0, block.length))) {
      writeSync(fd, block, 0, block.length, at);
    }
  }
  closeSync(fd);
}

/** A journal's reader, and all that it has said. Times out with the test. */
export class TestReader implements AsyncDisposable {
  readonly events: TailEvent[];
  readonly source: JournalSource;
  readonly reader: EntryReader;
  readonly stream: StreamKey;
  readonly entries: LogEntry[] = [];
  readonly outcomes: EntryOutcome[] = [];
  readonly #abort = new AbortController();

  private constructor(source: JournalSource, events: TailEvent[], stream: StreamKey) {
    this.source = source;
    this.events = events;
    this.stream = stream;
    this.reader = source.reader(stream);
  }

  static async start(
    options: Omit<JournalSourceOptions, "start" | "timing"> & {
      readonly start?: JournalSourceOptions["start"];
      readonly timing?: Partial<JournalTiming>;
    },
  ): Promise<TestReader> {
    const events: TailEvent[] = [];
    const created = JournalSource.create({
      start: "beginning",
      onEvent: (event) => events.push(event),
      ...options,
      timing: { ...EAGER_JOURNAL_TIMING, ...options.timing },
    });
    if (!created.ok) throw new Error(created.error.detail);
    const source = created.value;
    const changes = source.changes(new AbortController().signal)[Symbol.asyncIterator]();
    await source.start();
    const first: IteratorResult<StreamChange, unknown> = await changes.next();
    if (first.done === true) throw new Error("no stream");
    return new TestReader(source, events, first.value.stream);
  }

  get messages(): string[] {
    return this.entries.map(({ body }) => Buffer.from(body).toString("latin1"));
  }

  get gaps(): Extract<EntryOutcome, { kind: "gap" }>[] {
    return this.outcomes.filter((outcome) => outcome.kind === "gap");
  }

  /** Reads on until this holds. */
  async until(isDone: () => boolean): Promise<void> {
    const { signal } = this.#abort;
    while (!isDone()) {
      const outcome = await this.reader.read(signal);
      if (outcome.kind === "idle") {
        await this.reader.changed(signal);
        continue;
      }
      this.outcomes.push(outcome);
      if (outcome.kind === "entries") {
        // A body is good until the next read.
        this.entries.push(
          ...outcome.entries.map((entry) => ({ ...entry, body: entry.body.slice() })),
        );
      }
    }
  }

  async untilCount(entries: number): Promise<void> {
    await this.until(() => this.entries.length >= entries);
  }

  /** The cursor that a collector would have stored by now. */
  get cursor(): Uint8Array {
    const last = this.outcomes.at(-1);
    if (last?.kind === "entries") return (last.entries.at(-1) as LogEntry).cursor;
    if (last === undefined || last.kind === "idle") throw new Error("nothing was read");
    return last.cursor;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.reader[Symbol.asyncDispose]();
    await this.source[Symbol.asyncDispose]();
  }
}

/** Messages of `count` lines, from a number on. */
export function numbered(count: number, from = 0): TestEntry[] {
  return Array.from({ length: count }, (_, index) => ({ MESSAGE: `line ${from + index}` }));
}

export function numberedMessages(count: number, from = 0): string[] {
  return Array.from({ length: count }, (_, index) => `line ${from + index}`);
}

/** A folder whose `journalctl` is a shell script; `call` counts its runs from 1. */
export class FakeJournalctl implements Disposable {
  readonly #folder = new Folder();
  readonly #path = process.env["PATH"] ?? "";

  constructor(script: string) {
    const command = this.#folder.at("journalctl");
    writeFileSync(
      command,
      [
        "#!/bin/bash",
        `dir=${this.#folder.path}`,
        'case " $* " in *" --all "*) reads=1 ;; *) reads= ;; esac',
        '[[ -z $reads ]] || echo >>"$dir/reads"',
        'call=$([[ -e $dir/reads ]] && wc -l <"$dir/reads")',
        script,
        "",
      ].join("\n"),
    );
    chmodSync(command, 0o755);
    process.env["PATH"] = `${this.#folder.path}:${this.#path}`;
  }

  /** Where the script finds what a test gives it: `$dir/NAME`. */
  give(name: string, content: Buffer | string): void {
    writeFileSync(this.#folder.at(name), content);
  }

  /** What the script has left at `$dir/NAME`; undefined where there is none. */
  read(name: string): string | undefined {
    const file = this.#folder.at(name);
    return existsSync(file) ? readFileSync(file, "utf8") : undefined;
  }

  /** How often it was started to read on. */
  get reads(): number {
    return this.read("reads")?.length ?? 0;
  }

  [Symbol.dispose](): void {
    process.env["PATH"] = this.#path;
    this.#folder[Symbol.dispose]();
  }
}
