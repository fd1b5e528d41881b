import { err, ok } from "@sluice/quantity";
import type { Result } from "@sluice/quantity";
import { Access, globRoots } from "./access.ts";
import { ArchiveSearch } from "./archive/archive-search.ts";
import { Beat } from "./beat.ts";
import { ChangeFeed } from "./change-feed.ts";
import { decodeCursor } from "./cursor.ts";
import type { FileCursor } from "./cursor.ts";
import { Disk } from "./disk.ts";
import type { TailEvent } from "./event.ts";
import { FileReader } from "./file-reader.ts";
import { DEFAULT_MAX_HELD_FILES, DEFAULT_TIMING } from "./file-source-options.ts";
import type { FileSourceOptions, TailClock, TailTiming } from "./file-source-options.ts";
import { Finder, PathReports } from "./finder.ts";
import { Generation } from "./generation.ts";
import { coversPath } from "./match.ts";
import { reconcile } from "./reconcile.ts";
import { HeldFiles } from "./held-files.ts";
import { isForeign } from "./reposition.ts";
import { Registry } from "./registry.ts";
import { WatchBudget } from "./watch-budget.ts";
import { decodeState, encodeState } from "./source-state.ts";
import type { SourceState } from "./source-state.ts";
import { mergeRecords } from "./state-split.ts";
import type {
  CursorInvalid,
  Source,
  StateInvalid,
  StreamChange,
  StreamKey,
  StreamReader,
  TailStream,
} from "./source.ts";

const SYSTEM_CLOCK: TailClock = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
};

/** The log files that a set of globs matches, as streams. */
export class FileSource implements Source {
  readonly #options: FileSourceOptions;
  readonly #timing: TailTiming;
  readonly #clock: TailClock;
  readonly #emit: (event: TailEvent) => void;
  readonly #reports: PathReports;
  readonly #finder: Finder;
  readonly #registry: Registry;
  readonly #watches: WatchBudget;
  readonly #beat: Beat;
  readonly #feed = new ChangeFeed();
  readonly #readers = new Set<Generation>();
  #started = false;
  #disposed = false;
  readonly #stop = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #scan: Promise<void> = Promise.resolve();
  #scanIsHinted = false;

  private constructor(options: FileSourceOptions, state: Partial<SourceState>) {
    this.#options = options;
    this.#timing = { ...DEFAULT_TIMING, ...options.timing };
    this.#clock = options.clock ?? SYSTEM_CLOCK;
    this.#beat = options.beat ?? new Beat(this.#timing.pollMs);
    this.#emit = options.onEvent ?? (() => undefined);
    this.#reports = new PathReports(this.#emit);
    this.#finder = new Finder(options.include, options.exclude ?? [], this.#reports);
    const { maxHeldFiles = DEFAULT_MAX_HELD_FILES } = options;
    this.#watches = new WatchBudget(maxHeldFiles);
    const roots = [...globRoots(options.include), ...(options.roots ?? [])];
    const access = new Access(roots, options.own);
    this.#registry = new Registry(state, {
      held: new HeldFiles(maxHeldFiles),
      disk: new Disk(access, this.#reports, this.#clock.wallMs),
      emit: this.#emit,
      changed: (change) => this.#feed.push(change),
    });
  }

  /** An error where the state is not one that `snapshot` made. Throws for relative globs. */
  static create(options: FileSourceOptions): Result<FileSource, StateInvalid> {
    const own = options.state === undefined ? undefined : decodeState(options.state);
    if (own?.ok === false) return own;
    const states = (options.inherited ?? []).map(decodeState);
    const invalid = states.find((state) => !state.ok);
    if (invalid !== undefined) return invalid;
    const all = [...(own === undefined ? [] : [own]), ...states];
    const known = all.flatMap((state) => (state.ok ? [state.value] : []));
    const sources = mergeRecords(known);
    const firstNumber = Math.max(1, ...known.map((state) => state.firstNumber));
    // Without the time of a scan, where all of it is inherited: this source has not looked yet.
    return ok(new FileSource(options, { ...own?.value, sources, firstNumber }));
  }

  async start(): Promise<void> {
    if (this.#started) throw new Error("a source starts once");
    this.#started = true;
    for (const generation of this.#open()) {
      this.#feed.push({ kind: "appeared", stream: generation.toStream() });
    }
    // Archives may take long; what can be read now does not wait for them.
    const { promise: hasLooked, resolve } = Promise.withResolvers<void>();
    await Promise.race([this.#enqueueScan(resolve), hasLooked]);
    this.#schedule();
  }

  rescan(): Promise<void> {
    if (!this.#started) throw new Error("a source is started before it is scanned again");
    return this.#enqueueScan();
  }

  #enqueueScan(onFirstLook?: () => void): Promise<void> {
    const scan = this.#scan.then(() => {
      this.#scanIsHinted = false;
      return this.#scanNow(onFirstLook);
    });
    this.#scan = scan.catch((error: unknown) => {
      if (!this.#disposed) this.#emit({ kind: "failed-scan", error });
    });
    return scan;
  }

  /** Whether a path is one that this source's globs match: whose stream it is, when that has to be found out. */
  covers(path: string): boolean {
    const { include, exclude = [] } = this.#options;
    return coversPath(include, exclude, path);
  }

  streams(): readonly TailStream[] {
    return this.#open().map((generation) => generation.toStream());
  }

  changes(signal: AbortSignal): AsyncIterable<StreamChange> {
    return this.#feed.subscribe(signal);
  }

  reader(stream: StreamKey): StreamReader {
    const generation = this.#known(stream);
    if (this.#readers.has(generation)) {
      throw new Error(`${stream.source} #${stream.generation} has a reader`);
    }
    this.#readers.add(generation);
    return new FileReader(generation, {
      registry: this.#registry,
      clock: this.#clock,
      timing: this.#timing,
      watches: this.#watches,
      beat: this.#beat,
      emit: this.#emit,
      hint: () => this.#hintScan(),
      released: () => this.#readers.delete(generation),
    });
  }

  acked(stream: StreamKey, cursor: Uint8Array): Result<void, CursorInvalid> {
    const generation = this.#known(stream);
    const decoded = decodeCursor(cursor);
    if (!decoded.ok) return decoded;
    const { position } = decoded.value;
    if (position.offset > generation.acked.offset) generation.acked = position;
    return ok(undefined);
  }

  finish(stream: StreamKey): void {
    this.#registry.finish(this.#known(stream));
  }

  finishAt(stream: StreamKey, end: Uint8Array): Result<void, CursorInvalid> {
    const generation = this.#known(stream);
    const decoded = decodeCursor(end);
    if (!decoded.ok) return decoded;
    if (isForeign(generation, decoded.value)) {
      this.#registry.abandon(generation);
      this.#hintScan();
      return ok(undefined);
    }
    const moved = this.acked(stream, end);
    this.#registry.finish(generation);
    return moved;
  }

  restore(stream: StreamKey, cursor: Uint8Array): Result<void, CursorInvalid> {
    if (this.#started) throw new Error("streams are restored before the source starts");
    const decoded = decodeStreamCursor(stream, cursor);
    if (!decoded.ok) return decoded;
    const { identity, position } = decoded.value;
    const record = this.#registry.record(stream.source);
    record.restored = true;
    record.next = Math.max(record.next, stream.generation + 1);
    const sizeBytes = position.offset;
    const fields = { ...stream, phase: "open", identity, position, sizeBytes } as const;
    this.#registry.add(new Generation({ ...fields, path: undefined }));
    return ok(undefined);
  }

  reopen(stream: StreamKey, cursor: Uint8Array): Result<boolean, CursorInvalid> {
    const decoded = decodeStreamCursor(stream, cursor);
    return decoded.ok ? ok(this.#registry.takeUp(stream, decoded.value)) : decoded;
  }

  snapshot(): unknown {
    const scannedAtMs = this.#registry.scannedAtMs ?? 0;
    const { firstNumber, sources } = this.#registry;
    return encodeState({ scannedAtMs, firstNumber, sources });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#stop.abort(new Error("the source is disposed"));
    clearTimeout(this.#timer);
    await this.#scan;
    this.#feed.close();
    for (const generation of this.#registry.known()) {
      generation.closeFile();
      generation.wake?.();
    }
  }

  #open(): Generation[] {
    return this.#registry
      .known()
      .filter((generation) => generation.phase === "open")
      .toSorted((a, b) => compareStreams(a, b));
  }

  #known(stream: StreamKey): Generation {
    const generation = this.#registry.generation(stream);
    if (generation?.phase === "open") return generation;
    throw new Error(`no open stream ${stream.source} #${stream.generation}`);
  }

  async #scanNow(onFirstLook?: () => void): Promise<void> {
    this.#scanIsHinted = false;
    const scannedAtMs = Math.floor(this.#clock.wallMs());
    const searched = new Set<string>();
    let questions = await this.#look(searched);
    onFirstLook?.();
    while (questions.size > 0) {
      for (const source of questions) {
        await this.#searchArchives(source);
        searched.add(source);
      }
      questions = await this.#look(searched);
    }
    if (!this.#disposed) this.#registry.scannedAtMs = scannedAtMs;
  }

  /** Returns the sources whose archives are to be searched before the next look. */
  async #look(searched: ReadonlySet<string>): Promise<ReadonlySet<string>> {
    if (this.#disposed) return new Set();
    const found = await this.#finder.find();
    if (this.#disposed) return new Set();
    return reconcile(this.#registry, found, {
      start: this.#options.start,
      clock: this.#clock,
      timing: this.#timing,
      reports: this.#reports,
      emit: this.#emit,
      searched,
    });
  }

  async #searchArchives(source: string): Promise<void> {
    using search = new ArchiveSearch(this.#registry, source, {
      wallMs: this.#clock.wallMs,
      emit: this.#emit,
      signal: this.#stop.signal,
    });
    await search.run();
  }

  #schedule(): void {
    if (this.#disposed) return;
    this.#timer = setTimeout(() => {
      this.rescan().then(
        () => this.#schedule(),
        () => this.#schedule(),
      );
    }, this.#timing.rescanMs);
  }

  /** Many readers may ask at once: one scan, begun after the last of them asked, serves all. */
  #hintScan(): void {
    if (this.#scanIsHinted || !this.#started || this.#disposed) return;
    this.#scanIsHinted = true;
    setImmediate(() => {
      // A failed scan is reported where it is chained, and the timer brings the next.
      this.rescan().catch(() => undefined);
    });
  }
}

/** Both come from a collector. */
function decodeStreamCursor(
  { generation }: StreamKey,
  cursor: Uint8Array,
): Result<FileCursor, CursorInvalid> {
  return Number.isSafeInteger(generation) && generation >= 1
    ? decodeCursor(cursor)
    : err({ code: "cursor-invalid", detail: `generation ${generation}` });
}

function compareStreams(a: StreamKey, b: StreamKey): number {
  if (a.source !== b.source) return a.source < b.source ? -1 : 1;
  return a.generation - b.generation;
}
