import type { RetentionCutoffs } from "@sluice/store";

import { KNOWN_STREAMS, markOf, severityOf } from "./known-log.ts";
import { cutoffOf } from "./prune-choice.ts";
import type { Change, WorkerReport } from "./worker-messages.ts";

/** A batch, and when it was on its way: places in the order of reports, and times of the clock. */
interface SentBatch {
  readonly firstSeq: number;
  readonly count: number;
  readonly sentAt: number;
  readonly sentMs: number;
  ackedAt: number;
  ackedMs: number;
}

/** A change of what is to be seen; `endedAt` is Infinity while nobody has heard that it is done. */
interface SentChange {
  readonly change: Change;
  readonly begunAt: number;
  endedAt: number;
}

interface StreamState {
  nextSeq: number;
  acked: number;
  batches: SentBatch[];
  /** Sequence numbers that were seen when the store was last looked at. */
  seen: readonly number[];
  /** Where what was sent since begins. */
  lookedUpTo: number;
}

/** What a look at the store has found, by stream. */
export interface Seen {
  readonly nextSeq: number;
  /** In the order in which they are stored. */
  readonly seqs: readonly number[];
}

/** `either` where the record and the change were on their way at the same time. */
type Fate = "stays" | "goes" | "either";

/**
 * What must be in the store, by what its process reported before it was killed: what was acknowledged
 * and what a finished prune or delete took away. What was on its way may be there or not, whole changes only.
 */
export class Expectation {
  /** The retention that is in force. */
  visibility: RetentionCutoffs | undefined;
  #streams: StreamState[] = KNOWN_STREAMS.map(() => ({
    nextSeq: 0,
    acked: 0,
    batches: [],
    seen: [],
    lookedUpTo: 0,
  }));
  #changes: SentChange[] = [];
  #place = 0;

  get acked(): number {
    return this.#streams.reduce((sum, { acked }) => sum + acked, 0);
  }

  take(report: WorkerReport): void {
    this.#place += 1;
    switch (report.kind) {
      case "opened":
        this.#opened(report.nextSeqs);
        return;
      case "sent": {
        const state = this.#streams[report.stream] as StreamState;
        const { count, ms } = report;
        const on = { sentAt: this.#place, sentMs: ms, ackedAt: Infinity, ackedMs: Infinity };
        state.batches.push({ firstSeq: state.nextSeq, count, ...on });
        state.nextSeq += count;
        return;
      }
      case "acked": {
        const state = this.#streams[report.stream] as StreamState;
        state.acked = report.nextSeq;
        this.#settle(state, report.nextSeq, report.ms);
        return;
      }
      case "begun":
        if (report.change !== undefined) {
          const { change } = report;
          this.#changes.push({ change, begunAt: this.#place, endedAt: Infinity });
        }
        return;
      case "ended": {
        const begun = this.#changes.at(-1);
        if (begun?.endedAt === Infinity && begun.change.kind === report.job) {
          begun.endedAt = this.#place;
          this.#inForce(begun);
        }
        return;
      }
      default:
    }
  }

  /**
   * What contradicts what a look has found, in sentences. Where nothing does, what was seen is from now
   * on what must be seen.
   */
  compare(seen: readonly Seen[], nowMs: number): string[] {
    this.#place += 1;
    const pending = this.#changes.find(({ endedAt }) => endedAt === Infinity);
    const without = this.#changes.filter((change) => change !== pending);
    let problems = this.#contradictions(seen, without);
    if (pending !== undefined) {
      pending.endedAt = this.#place;
      if (this.#contradictions(seen, [...without, pending]).length === 0) {
        problems = [];
        // Where both are possible too: cutoffs only rise, so the later ones bring nothing back.
        this.#inForce(pending);
      }
    }
    if (problems.length === 0) {
      this.#adopt(seen, nowMs);
    }
    return problems;
  }

  /** What was on its way when the process before was killed is lost or stored. An opening is an answer: it is durable. */
  #opened(nextSeqs: readonly number[]): void {
    for (const [stream, nextSeq] of nextSeqs.entries()) {
      const state = this.#streams[stream] as StreamState;
      if (nextSeq < state.acked || nextSeq > state.nextSeq) {
        continue; // A comparison says it better.
      }
      this.#settle(state, nextSeq, Date.now());
      state.batches = state.batches.filter((batch) => batch.firstSeq < nextSeq);
      state.nextSeq = nextSeq;
      state.acked = nextSeq;
    }
  }

  #inForce({ change }: SentChange): void {
    if (change.kind === "prune") {
      this.visibility = change.visibility;
    }
  }

  #contradictions(seen: readonly Seen[], changes: readonly SentChange[]): string[] {
    return this.#streams.flatMap((state, stream) => {
      const found = seen[stream] ?? { nextSeq: 0, seqs: [] };
      if (found.nextSeq < state.acked || found.nextSeq > state.nextSeq) {
        const range = `${state.acked} were acknowledged and ${state.nextSeq} sent`;
        return [`stream ${stream} stands at ${found.nextSeq}: ${range}`];
      }
      const disorder = found.seqs.findIndex((seq, i) => i > 0 && seq <= (found.seqs[i - 1] ?? 0));
      if (disorder !== -1) {
        const pair = `${found.seqs[disorder]} comes behind ${found.seqs[disorder - 1]}`;
        return [`stream ${stream}: ${pair}`];
      }
      return this.#misfits(stream, state, found, changes);
    });
  }

  #misfits(
    stream: number,
    state: StreamState,
    found: Seen,
    changes: readonly SentChange[],
  ): string[] {
    const isThere = new Set(found.seqs);
    const known = [...state.seen, ...upTo(state.lookedUpTo, found.nextSeq)];
    const isKnown = new Set(known);
    const strangers = found.seqs.filter((seq) => !isKnown.has(seq));
    const missing: number[] = [];
    const returned: number[] = [];
    let at = 0;
    for (const seq of known) {
      while (seq >= endOf(state.batches[at])) {
        at += 1;
      }
      const fate = fateOf(stream, seq, state.batches[at] as SentBatch, changes);
      if (fate === "stays" && !isThere.has(seq)) {
        missing.push(seq);
      } else if (fate === "goes" && isThere.has(seq)) {
        returned.push(seq);
      }
    }
    return [
      ...tell(stream, "missing", missing),
      ...tell(stream, "back again that were pruned or deleted", returned),
      ...tell(stream, "there that were gone before, or never sent", strangers),
    ];
  }

  #adopt(seen: readonly Seen[], nowMs: number): void {
    for (const [stream, state] of this.#streams.entries()) {
      const { nextSeq, seqs } = seen[stream] ?? { nextSeq: 0, seqs: [] };
      this.#settle(state, nextSeq, nowMs);
      const first = seqs[0] ?? nextSeq;
      state.batches = state.batches.filter(
        (batch) => batch.firstSeq < nextSeq && endOf(batch) > first,
      );
      state.seen = seqs;
      state.nextSeq = nextSeq;
      state.acked = nextSeq;
      state.lookedUpTo = nextSeq;
    }
    this.#changes = [];
  }

  #settle({ batches }: StreamState, nextSeq: number, ms: number): void {
    for (const batch of batches) {
      if (batch.ackedAt === Infinity && endOf(batch) <= nextSeq) {
        batch.ackedAt = this.#place;
        batch.ackedMs = ms;
      }
    }
  }
}

function fateOf(
  stream: number,
  seq: number,
  batch: SentBatch,
  changes: readonly SentChange[],
): Fate {
  let fate: Fate = "stays";
  for (const { change, begunAt, endedAt } of changes) {
    const one = change.kind === "prune" ? pruned(change) : deleted(change, begunAt, endedAt);
    if (one === "goes") {
      return one;
    }
    fate = one === "either" ? one : fate;
  }
  return fate;

  function pruned({ visibility }: Extract<Change, { kind: "prune" }>): Fate {
    const { host } = KNOWN_STREAMS[stream] ?? { host: "" };
    const cutoffMs = cutoffOf(visibility, host, severityOf(stream, seq)) / 1000;
    if (batch.ackedMs + 1 < cutoffMs) {
      return "goes";
    }
    return batch.sentMs > cutoffMs ? "stays" : "either";
  }

  function deleted(
    { mark }: Extract<Change, { kind: "delete" }>,
    begunAt: number,
    endedAt: number,
  ): Fate {
    if (markOf(stream, seq) !== mark || batch.sentAt > endedAt) {
      return "stays";
    }
    return batch.ackedAt < begunAt ? "goes" : "either";
  }
}

function endOf(batch: SentBatch | undefined): number {
  return batch === undefined ? Infinity : batch.firstSeq + batch.count;
}

function upTo(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from) }, (_, i) => from + i);
}

function tell(stream: number, what: string, seqs: readonly number[]): string[] {
  const some = seqs.slice(0, 3).join(", ");
  return seqs.length === 0 ? [] : [`stream ${stream}: ${seqs.length} records ${what} (${some})`];
}
