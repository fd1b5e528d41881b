import {
  appendFileSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { FileSource } from "../src/file-source.ts";
import type { FileSourceOptions } from "../src/file-source-options.ts";
import type { TailEvent } from "../src/event.ts";
import type { ReadOutcome, StreamKey, StreamReader, TailStream } from "../src/source.ts";

/** Scans happen when a test asks for them; nothing is waited for. */
export const EAGER_TIMING = {
  rescanMs: 600_000,
  pollMs: 1,
  idlePollMs: 5,
  activeMs: 20,
  settleMs: 0,
  deletedDeadlineMs: 600_000,
} as const;

const NEVER = new AbortController().signal;

/** A folder for one test on ext4, or wherever `root` says. */
export class Folder implements Disposable {
  readonly path: string;

  constructor(root = "/tmp") {
    this.path = mkdtempSync(join(root, "tail-"));
  }

  at(name: string): string {
    return join(this.path, name);
  }

  append(name: string, text: string): void {
    appendFileSync(this.at(name), text);
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

/** As gzip and zstd do it: the compressed file has the time of the original, which goes. */
export function compress(path: string, format: "gz" | "zst" = "gz"): string {
  const archive = `${path}.${format}`;
  const content = readFileSync(path);
  // A double rounds it to a quarter of a microsecond, which must not make it younger.
  const writtenAt = Number(statSync(path, { bigint: true }).mtimeNs) / 1e9 - 1e-6;
  writeFileSync(archive, format === "gz" ? gzipSync(content) : zstdCompressSync(content));
  utimesSync(archive, writtenAt, writtenAt);
  unlinkSync(path);
  return archive;
}

/** What one stream delivered, with the cursor a collector would have stored. */
export interface Delivery {
  text: string;
  cursor: Uint8Array;
  outcome: ReadOutcome["kind"];
  /** Every cursor that was stored before, with the length of the text at that time. */
  readonly history: { readonly cursor: Uint8Array; readonly length: number }[];
}

/** Plays agent and collector: reads everything there is and stores text and cursor of each stream. */
export class Collector {
  readonly deliveries = new Map<string, Delivery>();
  readonly events: TailEvent[] = [];
  /** Why stored cursors were not found again. */
  readonly refused: string[] = [];
  readonly lost: (ReadOutcome & { kind: "lost" })[] = [];
  readonly options: Omit<FileSourceOptions, "onEvent">;
  #source: FileSource | undefined;
  readonly #readers = new Map<string, StreamReader>();
  #state: unknown;

  constructor(options: Omit<FileSourceOptions, "onEvent">) {
    this.options = options;
  }

  get source(): FileSource {
    if (this.#source === undefined) throw new Error("not running");
    return this.#source;
  }

  async start(): Promise<void> {
    const created = FileSource.create({
      ...this.options,
      timing: { ...EAGER_TIMING, ...this.options.timing },
      ...(this.#state === undefined ? {} : { state: this.#state }),
      onEvent: (event) => this.events.push(event),
    });
    if (!created.ok) throw new Error(created.error.detail);
    this.#source = created.value;
    await created.value.start();
  }

  /** Stops without a word, as a crash would: the state is that of the last `save`. */
  async stop(): Promise<void> {
    await Promise.all([...this.#readers.values()].map((reader) => reader[Symbol.asyncDispose]()));
    this.#readers.clear();
    await this.source[Symbol.asyncDispose]();
    this.#source = undefined;
  }

  /** @param edit what becomes of the state before it is loaded again */
  save(edit: (state: unknown) => unknown = (state) => state): void {
    this.#state = edit(JSON.parse(JSON.stringify(this.source.snapshot())));
  }

  loseState(): void {
    this.#state = undefined;
  }

  /** As a collector restored from a backup: unfinished streams fall back to an earlier cursor. */
  rollBack(share: number): void {
    for (const delivery of this.deliveries.values()) {
      if (delivery.outcome === "ended" || delivery.outcome === "lost") continue;
      const kept = Math.floor(share * (delivery.history.length - 1));
      delivery.history.length = kept + 1;
      const last = delivery.history.at(-1);
      if (last === undefined) throw new Error("no history");
      delivery.cursor = last.cursor;
      delivery.text = delivery.text.slice(0, last.length);
    }
  }

  async restart(): Promise<void> {
    this.save();
    await this.stop();
    await this.start();
  }

  async rescan(): Promise<void> {
    await this.source.rescan();
  }

  async reader(stream: TailStream): Promise<StreamReader> {
    const known = this.#readers.get(nameOf(stream));
    if (known !== undefined) return known;
    const reader = this.source.reader(stream);
    this.#readers.set(nameOf(stream), reader);
    const stored = this.deliveries.get(nameOf(stream));
    if (stored === undefined) {
      this.deliveries.set(nameOf(stream), {
        text: "",
        cursor: stream.initialCursor,
        outcome: "idle",
        history: [{ cursor: stream.initialCursor, length: 0 }],
      });
    } else {
      const moved = await reader.seek(stored.cursor);
      if (!moved.ok) this.refused.push(moved.error.detail);
    }
    return reader;
  }

  /** Reads a stream until it has nothing more to say; finishes it where it has ended. */
  async drain(stream: TailStream, targetBytes = 4096): Promise<void> {
    const reader = await this.reader(stream);
    const delivery = this.deliveries.get(nameOf(stream));
    if (delivery === undefined) throw new Error("unknown stream");
    const target = new Uint8Array(targetBytes);
    for (;;) {
      const outcome = await reader.read(target, 0, NEVER);
      delivery.outcome = outcome.kind;
      if (outcome.kind === "bytes") {
        delivery.text += Buffer.from(target.subarray(0, outcome.length)).toString("latin1");
        delivery.cursor = reader.cursorAt(reader.offset);
        delivery.history.push({ cursor: delivery.cursor, length: delivery.text.length });
        this.source.acked(stream, delivery.cursor);
        continue;
      }
      if (outcome.kind === "idle") return;
      if (outcome.kind === "lost") this.lost.push(outcome);
      this.source.finish(stream);
      this.#readers.delete(nameOf(stream));
      await reader[Symbol.asyncDispose]();
      return;
    }
  }

  /** Scans and reads until two rounds in a row bring nothing new. */
  async settle(targetBytes?: number): Promise<void> {
    let before = "";
    for (;;) {
      await this.rescan();
      for (const stream of this.source.streams()) await this.drain(stream, targetBytes);
      const after = JSON.stringify([...this.deliveries].map(([name, { text }]) => [name, text]));
      if (after === before) return;
      before = after;
    }
  }

  /** All text of a source in the order of its generations. */
  text(source: string): string {
    return this.generations(source).join("");
  }

  generations(source: string): string[] {
    return [...this.deliveries]
      .filter(([name]) => name.startsWith(`${source}#`))
      .toSorted(([a], [b]) => Number(a.split("#")[1]) - Number(b.split("#")[1]))
      .map(([, delivery]) => delivery.text);
  }

  get sources(): string[] {
    return [...new Set([...this.deliveries.keys()].map((name) => name.split("#")[0] ?? ""))];
  }

  eventKinds(): string[] {
    return this.events.map((event) => event.kind);
  }
}

function nameOf(stream: StreamKey): string {
  return `${stream.source}#${stream.generation}`;
}
