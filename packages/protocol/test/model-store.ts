import assert from "node:assert/strict";
import type { ResetReason } from "../src/codes.ts";
import type { StreamOutcome } from "../src/collector-session.ts";
import type { OpenedStream } from "../src/control.ts";
import type { FramePosition } from "../src/frame.ts";

/** Which lines of its file a frame covers. Records of a batch are one or more lines each. */
export interface ModelFrame extends Omit<FramePosition, "cursor"> {
  readonly kind: "batch" | "gap" | "advance";
  readonly fromLine: number;
  readonly toLine: number;
  /** What the collector cannot decode. */
  readonly isPoison: boolean;
}

interface Row {
  readonly kind: ModelFrame["kind"];
  readonly fromLine: number;
  readonly toLine: number;
  readonly firstSeq: number;
  readonly count: number;
}

export interface Standing {
  readonly epoch: number;
  readonly ordinal: number;
  readonly nextSeq: number;
  /** The cursor: how many lines of the file are behind it. */
  readonly line: number;
  readonly rows: readonly Row[];
}

export type Compare = (
  stored: Omit<Standing, "rows">,
  frame: ModelFrame,
) => "next" | "stale" | "misplaced";

/** The rule of the protocol: all three have to be equal. */
export const compareAll: Compare = (stored, frame) => {
  if (frame.epoch < stored.epoch) {
    return "stale";
  }
  const isNext =
    frame.epoch === stored.epoch &&
    frame.ordinal === stored.ordinal &&
    frame.firstSeq === stored.nextSeq;
  return isNext ? "next" : "misplaced";
};

export function toCursor(line: number): Uint8Array {
  return Uint8Array.of(line & 0xff, line >>> 8);
}

export function toLine(cursor: Uint8Array): number {
  return (cursor[0] ?? 0) + (cursor[1] ?? 0) * 256;
}

type Outcome = StreamOutcome["outcome"];
type State = ReadonlyMap<string, Standing>;

/** A store that keeps, per stream, its position and what was stored: groups of changes, or nothing. */
export class ModelStore {
  readonly #compare: Compare;
  readonly #acksAfterCommit: boolean;
  #durable: State = new Map();
  /** What later transactions build upon; the same as what is durable unless acks come too early. */
  #current: State = new Map();
  #draft = new Map<string, Standing>();
  #backup: State = new Map();
  /** stream -> the furthest line that was ever durable */
  readonly #highWater = new Map<string, number>();
  /** stream -> resets and rejects */
  readonly #resets = new Map<string, number>();

  constructor(rules: { readonly compare: Compare; readonly acksAfterCommit: boolean }) {
    this.#compare = rules.compare;
    this.#acksAfterCommit = rules.acksAfterCommit;
  }

  get streams(): State {
    return this.#durable;
  }

  highWater(stream: string): number {
    return this.#highWater.get(stream) ?? 0;
  }

  resets(stream: string): number {
    return this.#resets.get(stream) ?? 0;
  }

  transaction<T>(work: () => T): T {
    this.#draft = new Map(this.#current);
    const result = work();
    const before = this.#current;
    this.#current = this.#draft;
    this.#durable = this.#acksAfterCommit ? this.#current : before;
    for (const [stream, { line }] of this.#durable) {
      this.#highWater.set(stream, Math.max(line, this.highWater(stream)));
    }
    return result;
  }

  crash(): void {
    this.#current = this.#durable;
  }

  backUp(): void {
    this.#backup = this.#durable;
  }

  restore(): void {
    this.#durable = this.#backup;
    this.#current = this.#backup;
  }

  open(stream: string, initialCursor: Uint8Array): Omit<OpenedStream, "stream"> {
    const found = this.#draft.get(stream);
    const created = found === undefined;
    const standing: Standing =
      found === undefined
        ? { epoch: 1, ordinal: 0, nextSeq: 0, line: toLine(initialCursor), rows: [] }
        : { ...found, epoch: found.epoch + 1 };
    this.#draft.set(stream, standing);
    return { ...position(standing), created };
  }

  append(stream: string, frame: ModelFrame): Outcome {
    const stored = this.#standing(stream);
    switch (this.#compare(stored, frame)) {
      case "stale":
        return { kind: "stale" };
      case "misplaced":
        return this.reset(stream, "out_of_sequence");
      case "next":
        break;
    }
    if (frame.isPoison) {
      const at = this.#nextEpoch(stream);
      return { kind: "rejected", position: at, code: "bad_columns", detail: "poison" };
    }
    const { kind, fromLine, toLine: line, firstSeq, count } = frame;
    const next: Standing = {
      epoch: stored.epoch,
      ordinal: stored.ordinal + 1,
      nextSeq: stored.nextSeq + count,
      line,
      rows: [...stored.rows, { kind, fromLine, toLine: line, firstSeq, count }],
    };
    this.#draft.set(stream, next);
    return { kind: "accepted", position: position(next) };
  }

  reset(stream: string, reason: ResetReason): Outcome {
    return { kind: "reset", position: this.#nextEpoch(stream), reason };
  }

  #nextEpoch(stream: string): Omit<OpenedStream, "stream" | "created"> {
    const stored = this.#standing(stream);
    const next = { ...stored, epoch: stored.epoch + 1 };
    this.#draft.set(stream, next);
    this.#resets.set(stream, this.resets(stream) + 1);
    return position(next);
  }

  #standing(stream: string): Standing {
    const standing = this.#draft.get(stream);
    if (standing === undefined) {
      throw new Error(`${stream} was never opened`);
    }
    return standing;
  }
}

function position({ epoch, ordinal, nextSeq, line }: Standing) {
  return { epoch, ordinal, nextSeq, cursor: toCursor(line) };
}

/** What is stored is a prefix of what was written, in order, and the position is its end. */
export function checkStored(name: string, stored: Standing | undefined, written: number): void {
  let line = 0;
  let seq = 0;
  for (const row of stored?.rows ?? []) {
    assert.equal(row.fromLine, line, `${name}: stored lines are not a prefix`);
    assert.equal(row.firstSeq, seq, `${name}: sequence numbers do not follow each other`);
    line = row.toLine;
    seq += row.count;
  }
  assert.ok(line <= written, `${name}: more is stored than was written`);
  assert.equal(stored?.line ?? 0, line, `${name}: the cursor is not the end of what is stored`);
  assert.equal(stored?.nextSeq ?? 0, seq, `${name}: the next seq is not the end of the last row`);
  assert.equal(stored?.ordinal ?? 0, stored?.rows.length ?? 0, `${name}: the ordinal is no count`);
}
