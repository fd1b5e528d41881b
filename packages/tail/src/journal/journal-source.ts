import { err, ok } from "@sluice/quantity";
import type { Result } from "@sluice/quantity";

import { ChangeFeed } from "../change-feed.ts";
import type { TailEvent } from "../event.ts";
import type { StartPolicy, TailClock } from "../file-source-options.ts";
import type {
  CursorInvalid,
  EntryReader,
  Source,
  StateInvalid,
  StreamChange,
  StreamKey,
  TailStream,
} from "../source.ts";
import { DEFAULT_DIRECTORY_FIELDS, DEFAULT_FIELDS } from "./journal-entry.ts";
import { decodePosition, encodePosition, isBehind } from "./journal-position.ts";
import type { JournalPosition } from "./journal-position.ts";
import { JournalReader } from "./journal-reader.ts";
import { DEFAULT_JOURNAL_TIMING } from "./journal-source-options.ts";
import type { JournalSourceOptions, JournalTiming } from "./journal-source-options.ts";
import { decodeState, encodeState } from "./journal-state.ts";
import type { JournalState } from "./journal-state.ts";
import { Journalctl } from "./journalctl.ts";
import type { JournalctlFault } from "./journalctl.ts";
import { Retry } from "./retry.ts";

const SYSTEM_CLOCK: TailClock = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
};

/** A journal never ends: all of it is one generation. */
const GENERATION = 1;

/** systemd's journal as one stream: `journald`, or `journald:DIR` for a journal by directory. */
export class JournalSource implements Source {
  readonly #key: StreamKey;
  readonly #start: StartPolicy;
  readonly #fields: readonly string[];
  readonly #timing: JournalTiming;
  readonly #clock: TailClock;
  readonly #emit: (event: TailEvent) => void;
  readonly #journalctl: Journalctl;
  readonly #retry: Retry;
  readonly #feed = new ChangeFeed();
  readonly #abort = new AbortController();
  #state: JournalState | undefined;
  #hasReader = false;
  #isStarted = false;
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> = Promise.resolve();

  private constructor(options: JournalSourceOptions, state: JournalState | undefined) {
    const { directory, match = [], units = [], fields, start, timing, clock, onEvent } = options;
    const source = directory === undefined ? "journald" : `journald:${directory}`;
    this.#key = { source, generation: GENERATION };
    this.#start = start;
    this.#fields = fields ?? (directory === undefined ? DEFAULT_FIELDS : DEFAULT_DIRECTORY_FIELDS);
    this.#timing = { ...DEFAULT_JOURNAL_TIMING, ...timing };
    this.#clock = clock ?? SYSTEM_CLOCK;
    this.#emit = onEvent ?? (() => undefined);
    this.#journalctl = new Journalctl({ directory, match, units }, this.#timing.answerMs);
    this.#retry = new Retry(source, this.#timing, this.#emit);
    this.#state = state;
  }

  /** An error where the state is not one that `snapshot` made. */
  static create(options: JournalSourceOptions): Result<JournalSource, StateInvalid> {
    if (options.state === undefined) return ok(new JournalSource(options, undefined));
    const state = decodeState(options.state);
    return state.ok ? ok(new JournalSource(options, state.value)) : state;
  }

  /** A journal that cannot be reached is tried again until it can; its stream appears then. */
  async start(): Promise<void> {
    if (this.#isStarted) throw new Error("a source starts once");
    this.#isStarted = true;
    if (this.#state === undefined) {
      await this.rescan();
    } else {
      this.#announce();
    }
  }

  rescan(): Promise<void> {
    if (!this.#isStarted) throw new Error("a source is started before it is scanned again");
    clearTimeout(this.#timer);
    const look = this.#looking.then(() => this.#begin());
    this.#looking = look.catch((error: unknown) => {
      if (!this.#abort.signal.aborted) this.#emit({ kind: "failed-scan", error });
    });
    return this.#looking;
  }

  covers(source: string): boolean {
    return source === this.#key.source;
  }

  streams(): readonly TailStream[] {
    const state = this.#state;
    return state === undefined || state.isFinished
      ? []
      : [{ ...this.#key, initialCursor: state.initial, ackedCursor: state.acked }];
  }

  changes(signal: AbortSignal): AsyncIterable<StreamChange> {
    return this.#feed.subscribe(signal);
  }

  reader(stream: StreamKey): EntryReader {
    const { acked } = this.#known(stream);
    if (this.#hasReader) throw new Error(`${stream.source} #${stream.generation} has a reader`);
    this.#hasReader = true;
    return new JournalReader(this.#key, positionOf(acked), {
      journalctl: this.#journalctl,
      fields: this.#fields,
      clock: this.#clock,
      timing: this.#timing,
      emit: this.#emit,
      released: () => (this.#hasReader = false),
    });
  }

  acked(stream: StreamKey, cursor: Uint8Array): Result<void, CursorInvalid> {
    const state = this.#known(stream);
    const position = decodePosition(cursor);
    if (!position.ok) return position;
    if (!isOlder(position.value, positionOf(state.acked))) {
      this.#state = { ...state, acked: cursor.slice() };
    }
    return ok(undefined);
  }

  finish(stream: StreamKey): void {
    this.#state = { ...this.#known(stream), isFinished: true };
    this.#feed.push({ kind: "ended", stream: this.#key });
  }

  /** A journal has one stream, and it is the same one. */
  finishAt(stream: StreamKey, end: Uint8Array): Result<void, CursorInvalid> {
    const moved = this.acked(stream, end);
    if (moved.ok) this.finish(stream);
    return moved;
  }

  restore(stream: StreamKey, cursor: Uint8Array): Result<void, CursorInvalid> {
    if (this.#isStarted) throw new Error("streams are restored before the source starts");
    const checked = this.#check(stream, cursor);
    if (!checked.ok) return checked;
    this.#state = { initial: cursor.slice(), acked: cursor.slice(), isFinished: false };
    return ok(undefined);
  }

  reopen(stream: StreamKey, cursor: Uint8Array): Result<boolean, CursorInvalid> {
    const checked = this.#check(stream, cursor);
    if (!checked.ok) return checked;
    const state = this.#state;
    if (state?.isFinished !== true) return ok(false);
    this.#state = { ...state, acked: cursor.slice(), isFinished: false };
    this.#announce();
    return ok(true);
  }

  snapshot(): unknown {
    return encodeState(this.#state);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#timer);
    this.#abort.abort(new Error("the source is disposed"));
    await this.#looking;
    this.#feed.close();
  }

  /** Settles where the stream begins. It is settled once: later starts go on from there. */
  async #begin(): Promise<void> {
    if (this.#state !== undefined || this.#abort.signal.aborted) return;
    const position = await this.#firstPosition();
    if (!position.ok) {
      const nowMs = this.#clock.monotonicMs();
      this.#retry.failed(position.error, nowMs);
      this.#timer = setTimeout(() => void this.rescan(), this.#retry.atMs - nowMs);
      return;
    }
    this.#retry.succeeded();
    const initial = encodePosition(position.value);
    this.#state = { initial, acked: initial, isFinished: false };
    this.#announce();
  }

  async #firstPosition(): Promise<Result<JournalPosition, JournalctlFault>> {
    const { signal } = this.#abort;
    const start = this.#start;
    // Asked first: what is written from now on lies behind it.
    const newest = await this.#journalctl.newest(signal);
    if (!newest.ok) return newest;
    if (start !== "end") {
      const first =
        start === "beginning"
          ? await this.#journalctl.oldest(signal)
          : await this.#journalctl.oldestSince(this.#sinceUs(start.withinMs), signal);
      if (!first.ok) return first;
      if (first.value !== undefined) return ok({ kind: "at", entry: first.value });
    }
    return ok(
      newest.value === undefined ? { kind: "beginning" } : { kind: "after", entry: newest.value },
    );
  }

  #sinceUs(withinMs: number): bigint {
    return BigInt(Math.max(0, Math.floor(this.#clock.wallMs() - withinMs))) * 1000n;
  }

  #announce(): void {
    for (const stream of this.streams()) {
      this.#feed.push({ kind: "appeared", stream });
    }
  }

  #known({ source, generation }: StreamKey): JournalState {
    const state = this.#state;
    const isOurs = source === this.#key.source && generation === this.#key.generation;
    if (isOurs && state !== undefined && !state.isFinished) return state;
    throw new Error(`no open stream ${source} #${generation}`);
  }

  /** Both come from a collector. */
  #check({ generation }: StreamKey, cursor: Uint8Array): Result<void, CursorInvalid> {
    if (generation !== GENERATION) {
      return err({ code: "cursor-invalid", detail: `generation ${generation} of a journal` });
    }
    const position = decodePosition(cursor);
    return position.ok ? ok(undefined) : position;
  }
}

/** Of a cursor that was decoded before. */
function positionOf(cursor: Uint8Array): JournalPosition {
  const position = decodePosition(cursor);
  if (!position.ok) throw new Error(position.error.detail);
  return position.value;
}

function isOlder(position: JournalPosition, other: JournalPosition): boolean {
  if (position.kind === "beginning" || other.kind === "beginning") {
    return position.kind === "beginning" && other.kind !== "beginning";
  }
  return isBehind(other.entry, position.entry);
}
