import { ok } from "@sluice/quantity";
import type { Result } from "@sluice/quantity";

import type { TailEvent } from "../event.ts";
import type { TailClock } from "../file-source-options.ts";
import type { CursorInvalid, CursorLost, EntryOutcome, EntryReader, StreamKey } from "../source.ts";
import { Continuity } from "./continuity.ts";
import { Follower } from "./follower.ts";
import type { FollowerEnd } from "./follower.ts";
import type { JournalEntry } from "./journal-entry.ts";
import { printedFields } from "./journal-entry.ts";
import { decodePosition, encodePosition, isBehind } from "./journal-position.ts";
import type { JournalPosition } from "./journal-position.ts";
import type { JournalTiming } from "./journal-source-options.ts";
import type { Journalctl, JournalctlFault } from "./journalctl.ts";
import { locate, locateReadable, UNKNOWN_ENTRY } from "./locate.ts";
import type { JournalGap } from "./locate.ts";
import { Retry } from "./retry.ts";
import { Watchdog } from "./watchdog.ts";

export interface JournalReaderPorts {
  readonly journalctl: Journalctl;
  readonly fields: readonly string[];
  readonly clock: TailClock;
  readonly timing: JournalTiming;
  readonly emit: (event: TailEvent) => void;
  readonly released: () => void;
}

/** One `read` hands out so many entries at most. */
const READ_ENTRIES = 1_000;

/** In journalctl's words. */
const LEFT_OUT = "ignoring file";
const RESTRICTED = "not seeing messages from other users";

const IDLE: EntryOutcome = { kind: "idle" };

/**
 * Reads a journal through a journalctl that is started where the stream stands, and again whenever
 * it ends or hangs. Everything happens inside `read`: while nobody reads, journalctl waits on its
 * pipe, and nothing is asked.
 */
export class JournalReader implements EntryReader {
  readonly kind = "entries";
  readonly stream: StreamKey;
  readonly #ports: JournalReaderPorts;
  readonly #continuity: Continuity;
  readonly #watchdog: Watchdog;
  readonly #retry: Retry;
  #position: JournalPosition;
  #follower: Follower | undefined;
  /** A journalctl that does not follow has come to the end. */
  #isCaughtUp = false;
  #gap: JournalGap | undefined;
  #isRestricted = false;
  #isDisposed = false;

  constructor(stream: StreamKey, position: JournalPosition, ports: JournalReaderPorts) {
    this.stream = stream;
    this.#ports = ports;
    this.#position = position;
    this.#continuity = new Continuity(ports.journalctl.isFiltered, ports.timing.checkMs);
    this.#continuity.reset(position);
    this.#watchdog = new Watchdog(ports.timing);
    this.#retry = new Retry(stream.source, ports.timing, ports.emit);
  }

  get behindBytes(): number {
    return this.#follower?.queuedBytes ?? 0;
  }

  get hasBacklog(): boolean {
    return this.#follower?.hasBacklog ?? false;
  }

  async seek(cursor: Uint8Array): Promise<Result<void, CursorLost | CursorInvalid>> {
    this.#assertUsable();
    const decoded = decodePosition(cursor);
    this.#stop();
    this.#isCaughtUp = false;
    this.#gap = undefined;
    this.#position = decoded.ok ? decoded.value : { kind: "after", entry: UNKNOWN_ENTRY };
    this.#continuity.reset(this.#position);
    return ok(undefined);
  }

  async read(signal: AbortSignal): Promise<EntryOutcome> {
    this.#assertUsable();
    for (;;) {
      signal.throwIfAborted();
      if (this.#gap !== undefined) {
        return this.#takeGap(this.#gap);
      }
      const follower = this.#follower;
      if (follower === undefined) {
        if (this.#retry.atMs > this.#nowMs) {
          return IDLE;
        }
        await this.#open(signal);
        continue;
      }
      const entries = await this.#take(follower, signal);
      if (entries.length > 0) {
        return { kind: "entries", entries };
      }
      if (this.#gap !== undefined) {
        continue;
      }
      if (follower.end !== undefined) {
        this.#ended(follower.end);
      } else {
        this.#watchdog.heard(follower.receivedBytes, this.#nowMs);
        follower.rest();
        if (this.#watchdog.dueAtMs > this.#nowMs) {
          return IDLE;
        }
        const outcome = await this.#look(signal);
        if (outcome !== undefined) {
          return outcome;
        }
      }
    }
  }

  async changed(signal: AbortSignal): Promise<void> {
    this.#assertUsable();
    signal.throwIfAborted();
    const follower = this.#follower;
    if (this.#gap !== undefined || follower?.hasNews === true) {
      return;
    }
    const dueAtMs = follower === undefined ? this.#retry.atMs : this.#watchdog.dueAtMs;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const onAbort = (): void => reject(signal.reason as Error);
    signal.addEventListener("abort", onAbort, { once: true });
    const timer = setTimeout(resolve, Math.max(0, dueAtMs - this.#nowMs));
    if (follower !== undefined) {
      follower.wake = resolve;
    }
    try {
      await promise;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
      if (follower !== undefined) {
        follower.wake = undefined;
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    this.#stop();
    this.#ports.released();
  }

  get #nowMs(): number {
    return this.#ports.clock.monotonicMs();
  }

  /** Starts a journalctl at the position, if the journal still has that. */
  async #open(signal: AbortSignal): Promise<void> {
    const { journalctl, fields } = this.#ports;
    const { skipUs } = this.#retry;
    const located =
      skipUs === undefined
        ? await locate(journalctl, this.#position, signal)
        : await locateReadable(journalctl, this.#position, skipUs, signal);
    if (!located.ok) {
      this.#retry.failed(located.error, this.#nowMs);
      return;
    }
    if (skipUs !== undefined) {
      this.#retry.skipped();
    }
    if (located.value.kind === "gap") {
      this.#gap = located.value.gap;
      return;
    }
    this.#position = located.value.position;
    this.#continuity.reset(this.#position);
    const child = journalctl.read(this.#position, {
      follow: this.#follows,
      fields: printedFields(fields),
    });
    this.#follower = new Follower(child, fields);
    this.#watchdog.reset(this.#nowMs);
  }

  /** What has arrived, up to an entry in front of which something is missing. */
  async #take(follower: Follower, signal: AbortSignal): Promise<JournalEntry[]> {
    const taken: JournalEntry[] = [];
    while (taken.length < READ_ENTRIES) {
      const entry = follower.peek();
      if (entry === undefined) {
        break;
      }
      const { journalCursor } = entry;
      if (this.#position.kind === "after" && this.#position.entry === journalCursor) {
        follower.drop(); // The one that journalctl was started at.
        continue;
      }
      if (this.#continuity.isCheckDue(journalCursor, this.#nowMs)) {
        if (taken.length > 0 || (await this.#isLossAt(journalCursor, signal))) {
          break;
        }
        continue;
      }
      this.#continuity.take(journalCursor);
      this.#position = { kind: "after", entry: journalCursor };
      follower.drop();
      taken.push(entry);
    }
    if (taken.length > 0) {
      this.#retry.succeeded();
    }
    return taken;
  }

  async #isLossAt(entry: string, signal: AbortSignal): Promise<boolean> {
    const witness = this.#continuity.witness ?? "";
    const answer = await this.#ports.journalctl.at(witness, signal);
    const position = { kind: "at", entry } as const;
    if (answer.ok && answer.value !== witness) {
      const detail = `the journal dropped entries behind ${witness} before they were read`;
      this.#gap = { cause: "vacuumed", detail, position };
      return true;
    }
    const missing = this.#continuity.missingBefore(entry);
    if (answer.ok && missing > 0n && this.#areHolesLosses) {
      const detail = `the numbers of ${missing} entries are missing: unreadable, or never written`;
      this.#gap = { cause: "corrupt", detail, position };
      return true;
    }
    this.#continuity.checked(entry, answer.ok, this.#nowMs);
    return false;
  }

  /**
   * Of this machine's journal every number is there to be read; a folder may hold the files of one
   * user of several, unless journalctl says that it leaves one out.
   */
  get #areHolesLosses(): boolean {
    this.#noteRestriction();
    return this.#ports.journalctl.followsFromAnywhere
      ? this.#follower?.complaint.includes(LEFT_OUT) === true
      : !this.#isRestricted;
  }

  /** The process stays as it is: what it prints next lies behind the gap. */
  #takeGap({ cause, detail, position }: JournalGap): EntryOutcome {
    this.#gap = undefined;
    this.#position = position;
    this.#continuity.reset(position);
    const { source } = this.stream;
    this.#ports.emit({ kind: "journal-gap", source, cause, detail });
    return { kind: "gap", cause, detail, cursor: encodePosition(position) };
  }

  /** Nothing came for a while: has the journal anything that should have come? */
  async #look(signal: AbortSignal): Promise<EntryOutcome | undefined> {
    const { journalctl } = this.#ports;
    // In this order: what matches and is older than the newest of all has been asked for by then.
    this.#noteRestriction();
    const newest = journalctl.isFiltered ? await journalctl.newest(signal) : undefined;
    const matching = await journalctl.newestMatching(signal);
    const isMissing = matching.ok && this.#isStillToCome(matching.value);
    if (this.#follower?.hasNews === true) {
      return undefined;
    }
    if (this.#watchdog.looked(isMissing, this.#nowMs)) {
      const detail = "journalctl is silent though the journal has newer entries";
      this.#ended({ code: "hung", detail });
      return undefined;
    }
    const entry = newest?.ok === true ? newest.value : undefined;
    if (isMissing || !matching.ok) {
      return undefined;
    }
    this.#retry.succeeded();
    return entry === undefined ? undefined : this.#passOver(entry);
  }

  #isStillToCome(entry: string | undefined): boolean {
    const position = this.#position;
    return (
      entry !== undefined &&
      (position.kind === "beginning" ||
        (position.kind === "at" && position.entry === entry) ||
        isBehind(entry, position.entry))
    );
  }

  /** No entry up to this one is missing: the stream moves on, lest it stand at one that is vacuumed. */
  #passOver(entry: string): EntryOutcome | undefined {
    const position = this.#position;
    if (position.kind !== "beginning" && !isBehind(entry, position.entry)) {
      return undefined;
    }
    this.#position = { kind: "after", entry };
    this.#continuity.reset(this.#position);
    return { kind: "passed", cursor: encodePosition(this.#position) };
  }

  /** journalctl hints at what it may not show, and otherwise goes on as if there were nothing. */
  #noteRestriction(): void {
    if (!this.#isRestricted && this.#follower?.complaint.includes(RESTRICTED) === true) {
      this.#isRestricted = true;
      this.#ports.emit({ kind: "journal-restricted", source: this.stream.source });
    }
  }

  #ended(end: FollowerEnd): void {
    this.#noteRestriction();
    const wasFollowing = this.#follows;
    this.#stop();
    if (end === "complete" && !wasFollowing) {
      this.#isCaughtUp = true;
      return;
    }
    this.#isCaughtUp = false;
    const fault: JournalctlFault =
      end === "complete" ? { code: "failed", detail: "journalctl ended" } : end;
    this.#retry.failed(fault, this.#nowMs);
  }

  /** Whether the process at hand, or the next, waits for more at the end. */
  get #follows(): boolean {
    return this.#isCaughtUp || this.#ports.journalctl.followsFromAnywhere;
  }

  #stop(): void {
    this.#follower?.[Symbol.dispose]();
    this.#follower = undefined;
  }

  #assertUsable(): void {
    if (this.#isDisposed) throw new Error(`the reader of ${this.stream.source} is disposed`);
  }
}
