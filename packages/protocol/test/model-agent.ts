import assert from "node:assert/strict";
import type { AgentEffect } from "../src/agent-effect.ts";
import { AgentSession } from "../src/agent-session.ts";
import type { CollectorMessage } from "../src/control.ts";
import type { Link } from "./model-collector.ts";
import { type ModelFrame, toCursor, toLine } from "./model-store.ts";

/** What an agent reads: it grows, and it outlives every crash. */
export interface ModelFile {
  readonly name: string;
  /** Bytes of each line. */
  readonly lines: number[];
}

/** Read under one rewind, not sent yet. */
interface Sealed {
  readonly key: number;
  readonly epoch: number;
  readonly kind: ModelFrame["kind"];
  readonly fromLine: number;
  readonly toLine: number;
  readonly count: number;
  readonly bytes: number;
}

interface Reader {
  /** Undefined while paused. */
  epoch: number | undefined;
  /** The last rewind, paused or not. */
  lastEpoch: number;
  line: number;
}

/** The shell of an agent session: readers of files, sealed batches, checkpoints. */
export class ModelAgent {
  readonly #files: readonly ModelFile[];
  readonly #placeTellsRewinds: boolean;
  #session: AgentSession;
  #readers: Reader[];
  #sealed: Sealed[] = [];
  readonly #stopped = new Set<number>();
  /** file -> line that was acknowledged; on the disk: that survives a crash */
  #checkpoints: readonly number[];
  #durableCheckpoints: readonly number[];
  link: Link | undefined;

  constructor(files: readonly ModelFile[], rules: { readonly placeTellsRewinds: boolean }) {
    this.#files = files;
    this.#placeTellsRewinds = rules.placeTellsRewinds;
    this.#checkpoints = files.map(() => 0);
    this.#durableCheckpoints = this.#checkpoints;
    this.#readers = this.#pausedReaders();
    this.#session = this.#newSession();
  }

  get session(): AgentSession {
    return this.#session;
  }

  get checkpoints(): readonly number[] {
    return this.#checkpoints;
  }

  get hasStopped(): boolean {
    return this.#stopped.size > 0;
  }

  get hasSealed(): boolean {
    return this.#sealed.length > 0;
  }

  connect(link: Link): void {
    this.link = link;
    this.#perform(this.#session.connected(0));
  }

  disconnect(): void {
    this.link = undefined;
    this.#session.disconnected();
    for (const reader of this.#readers) {
      reader.epoch = undefined;
    }
  }

  crash(): void {
    this.link = undefined;
    this.#sealed = [];
    this.#stopped.clear();
    this.#checkpoints = this.#durableCheckpoints;
    this.#readers = this.#pausedReaders();
    this.#session = this.#newSession();
  }

  syncCheckpoints(): void {
    this.#durableCheckpoints = this.#checkpoints;
  }

  receive(message: CollectorMessage): void {
    this.#perform(this.#session.receive(message));
  }

  /** Seals a frame from where the reader stands: records of so many lines each. */
  read(key: number, kind: "batch" | "advance", linesOfRecords: readonly number[]): boolean {
    const reader = this.#readers[key];
    const file = this.#files[key];
    if (reader?.epoch === undefined || file === undefined) {
      return false;
    }
    const fromLine = reader.line;
    let count = 0;
    for (const lines of linesOfRecords) {
      if (reader.line < file.lines.length) {
        reader.line = Math.min(file.lines.length, reader.line + lines);
        count += 1;
      }
    }
    if (count === 0) {
      return false;
    }
    const bytes = file.lines.slice(fromLine, reader.line).reduce((sum, line) => sum + line, 0);
    this.#sealed.push({
      key,
      epoch: reader.epoch,
      kind,
      fromLine,
      toLine: reader.line,
      count: kind === "batch" ? count : 0,
      bytes: kind === "batch" ? bytes : 0,
    });
    return true;
  }

  /** Sends sealed frames as one message, as far as the credit goes. */
  send(most: number): void {
    const frames: ModelFrame[] = [];
    for (let i = 0; i < most; i++) {
      const next = this.#sealed[0];
      if (next === undefined || next.bytes > this.#session.window) {
        break;
      }
      this.#sealed.shift();
      const frame = this.#place(next);
      frames.push(...(frame === undefined ? [] : [frame]));
    }
    if (frames.length > 0) {
      assert.ok(this.link !== undefined, "a frame was placed without a connection");
      this.link.toCollector.push({
        kind: "frames",
        frames,
        isDamaged: false,
        isShed: false,
        isLost: false,
      });
    }
  }

  #place(sealed: Sealed): ModelFrame | undefined {
    const { key, kind, fromLine, toLine: to, count, bytes } = sealed;
    const current = this.#readers[key]?.lastEpoch ?? 0;
    const epoch = this.#placeTellsRewinds ? sealed.epoch : current;
    const draft = {
      count,
      creditBytes: bytes,
      bodyBytes: bytes,
      cursor: toCursor(to),
      isFinal: false,
    };
    const position = this.#session.place(key, epoch, draft, 0);
    return position === undefined
      ? undefined
      : { ...position, kind, fromLine, toLine: to, isPoison: false };
  }

  #perform(effects: readonly AgentEffect[]): void {
    for (const effect of effects) {
      switch (effect.kind) {
        case "send":
          this.link?.toCollector.push({ kind: "control", message: effect.message });
          break;
        case "rewind":
          this.#rewind(effect);
          break;
        case "acked":
          this.#checkpoints = this.#checkpoints.with(effect.key, toLine(effect.cursor));
          break;
        case "stopped":
          this.#stopped.add(effect.key);
          this.#reader(effect.key).epoch = undefined;
          break;
        case "unfinished":
        case "credit":
        case "goaway":
        case "rotate":
        case "failed":
          break;
        default:
          effect satisfies never;
      }
    }
  }

  #rewind({ key, epoch, cursor, rejected }: Extract<AgentEffect, { kind: "rewind" }>): void {
    const reader = this.#reader(key);
    const fromLine = toLine(cursor);
    reader.epoch = epoch;
    reader.lastEpoch = epoch;
    reader.line = fromLine;
    // What the collector stands at is as good as an ack: the one before may have been lost.
    this.#checkpoints = this.#checkpoints.with(key, fromLine);
    if (rejected !== undefined) {
      const to = toLine(rejected.cursorAfter);
      const { count } = rejected;
      this.#sealed.push({ key, epoch, kind: "gap", fromLine, toLine: to, count, bytes: 0 });
      reader.line = to;
    }
  }

  #reader(key: number): Reader {
    const reader = this.#readers[key];
    assert.ok(reader !== undefined);
    return reader;
  }

  #pausedReaders(): Reader[] {
    return this.#files.map(() => ({ epoch: undefined, lastEpoch: 0, line: 0 }));
  }

  #newSession(): AgentSession {
    const session = new AgentSession({
      agentId: "0197a1d2-7c54-7a3e-9f10-2b6f5d8c4e01",
      instance: "model",
      hostname: "model",
      version: "0",
      labels: {},
    });
    for (const [key, { name }] of this.#files.entries()) {
      session.offer({ key, source: name, generation: 0, initialCursor: beginning, labels: {} });
    }
    return session;
  }
}

function beginning(): Uint8Array {
  return toCursor(0);
}
