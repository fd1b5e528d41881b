import { LIMITS } from "@sluice/protocol";

import { Lane, type LaneName, laneOf, type Submission, type Turn } from "./lane.ts";
import { Outbox, type OutboxParts } from "./outbox.ts";
import type { Pump } from "./pump.ts";
import type { Note } from "./sealed-batch.ts";

/**
 * Credit that a backlog leaves for live streams: a whole batch of ordinary lines, with its columns.
 * They would otherwise wait for all that is on its way, which over a slow link is seconds.
 */
const LIVE_CREDIT_BYTES = LIMITS.batchRawBytes + LIMITS.batchRawBytes / 4;

/** Where the collector grants little, it is this share of it. */
const LIVE_CREDIT_SHARE = 1 / 4;

/**
 * Decides what leaves when, over all streams of the connection. It clocks itself, without a timer:
 * what has gathered in a lane leaves when nothing of the round before is on its way, or as soon as
 * a stream has a whole batch. So a lone line leaves at once, whatever else is under way, and a busy
 * host sends few large messages.
 */
export class Batcher {
  readonly #parts: OutboxParts;
  readonly #outbox: Outbox;
  /** The first goes first. */
  readonly #lanes: readonly Lane[] = [new Lane("express"), new Lane("live"), new Lane("backlog")];

  constructor(parts: OutboxParts) {
    this.#parts = parts;
    this.#outbox = new Outbox(parts, () => this.flush());
  }

  /** The pump has records that may leave when the clock allows; they may grow until then. */
  ready(pump: Pump): void {
    const name = laneOf(pump);
    for (const lane of this.#lanes) {
      if (lane.name === name) {
        lane.offer(pump);
      } else {
        lane.withdraw(pump);
      }
    }
    if (this.#isQuiet(name)) {
      this.flush();
    }
  }

  /** The pump has a whole batch. Resolves when it has been taken; rejects when `signal` aborts. */
  submit(pump: Pump, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(signal.reason as Error);
        return;
      }
      const lane = this.#lane(laneOf(pump));
      const onAbort = (): void => {
        lane.cancel(submission);
        reject(signal.reason as Error);
      };
      const submission: Submission = {
        pump,
        taken: () => {
          signal.removeEventListener("abort", onAbort);
          resolve();
        },
      };
      signal.addEventListener("abort", onAbort, { once: true });
      this.withdraw(pump);
      lane.submit(submission);
      this.flush();
    });
  }

  /** Queues frames without records, to be stored together, behind what the stream has submitted before. */
  note(key: number, epoch: number, ...notes: readonly Note[]): void {
    this.#outbox.note(key, epoch, notes);
    this.#outbox.drain();
  }

  withdraw(pump: Pump): void {
    for (const lane of this.#lanes) {
      lane.withdraw(pump);
    }
  }

  /** Something may leave that could not before: credit came back, or what was on its way has arrived. */
  flush(): void {
    this.#outbox.drain();
    this.#fill();
    this.#outbox.drain();
  }

  /** Seals what may leave; sent together, small batches share a message. */
  #fill(): void {
    for (const lane of this.#lanes) {
      if (this.#isQuiet(lane.name)) {
        lane.beginRound();
      }
      for (let turn = lane.next(); turn !== undefined; turn = lane.next()) {
        if (!this.#hasRoom(lane.name, turn.pump)) {
          return; // What comes behind this lane would only take the room that it waits for.
        }
        this.#seal(lane, turn);
      }
    }
  }

  #seal(lane: Lane, turn: Turn): void {
    this.#outbox.add(turn.pump.seal(), turn.isOfRound ? lane.name : undefined);
    lane.take(turn);
  }

  /** Streams that catch up fill whole batches by themselves: less of theirs leaves only where the line is idle. */
  #isQuiet(name: LaneName): boolean {
    return name === "backlog"
      ? this.#parts.session.isQuiet && this.#outbox.isEmpty
      : !this.#outbox.hasRoundOut(name);
  }

  #hasRoom(name: LaneName, pump: Pump): boolean {
    const { session } = this.#parts;
    if (this.#outbox.isCompressing || session.window === 0) {
      return false;
    }
    if (session.isQuiet && this.#outbox.reservedBytes === 0) {
      return true;
    }
    const keptBytes =
      name === "backlog" ? Math.min(LIVE_CREDIT_BYTES, session.creditBytes * LIVE_CREDIT_SHARE) : 0;
    return session.window - this.#outbox.reservedBytes - keptBytes >= pump.payloadBytes;
  }

  #lane(name: LaneName): Lane {
    return this.#lanes.find((lane) => lane.name === name) as Lane;
  }
}
