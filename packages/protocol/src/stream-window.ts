import type { AgentEffect, FrameDraft, RejectedFrame, StreamOffer } from "./agent-effect.ts";
import type { AckMessage, OpenedStream, RejectMessage, StreamBacklog } from "./control.ts";
import type { FramePosition } from "./frame.ts";
import { LIMITS } from "./limits.ts";

/**
 * - `idle`: not open on this connection
 * - `opening`: `open` is on its way
 * - `open`: its position is the collector's, and frames may leave
 * - `stopped`: too many rejects; it holds its position, over all further connections
 */
export type StreamPhase = "idle" | "opening" | "open" | "stopped";

interface InFlight extends FrameDraft {
  readonly ordinal: number;
  readonly firstSeq: number;
  readonly sentMs: number;
}

/** Where the collector says a stream stands, and what to read on from. */
type Standing = Pick<OpenedStream, "epoch" | "ordinal" | "nextSeq" | "cursor">;

/**
 * One stream of an `AgentSession`: its position, the frames on their way, and its rejects in a row.
 * The transition table stands in PROTOCOL.md ("A stream of the agent").
 */
export class StreamWindow {
  #offer: StreamOffer;
  #phase: StreamPhase = "idle";
  #number = 0;
  #epoch = 0;
  #ordinal = 0;
  #nextSeq = 0;
  /** Rewinds so far: what was read before the last of them is void. */
  #rewinds = 0;
  #inFlight: InFlight[] = [];
  #unackedBytes = 0;
  #rejectsInARow = 0;
  #reported: StreamBacklog | undefined;

  constructor(offer: StreamOffer) {
    this.#offer = offer;
  }

  get offer(): StreamOffer {
    return this.#offer;
  }

  get phase(): StreamPhase {
    return this.#phase;
  }

  /** Its number on this connection. */
  get number(): number {
    return this.#number;
  }

  /** Credit that its frames on their way take. */
  get unackedBytes(): number {
    return this.#unackedBytes;
  }

  relabel(labels: StreamOffer["labels"]): void {
    this.#offer = { ...this.#offer, labels };
  }

  /** `open` leaves with this number. */
  opening(number: number): void {
    this.#phase = "opening";
    this.#number = number;
  }

  /** What was on its way is void until the stream is opened again. */
  disconnected(): void {
    this.#clear();
    this.#reported = undefined;
    this.#phase = this.#phase === "stopped" ? "stopped" : "idle";
  }

  opened(to: OpenedStream): AgentEffect | undefined {
    if (this.#phase !== "opening") {
      return undefined;
    }
    this.#phase = "open";
    return this.#reposition(to, to.created, undefined);
  }

  /** @returns undefined where the stream is stopped: it must not be read on */
  reset(to: Standing): AgentEffect | undefined {
    return this.#phase === "open" ? this.#reposition(to, false, undefined) : undefined;
  }

  /** Gives a frame its place; undefined where a rewind has made it void or the stream is not open. */
  place(rewind: number, draft: FrameDraft, nowMs: number): FramePosition | undefined {
    if (this.#phase !== "open" || this.#rewinds !== rewind) {
      return undefined;
    }
    const epoch = this.#epoch;
    const ordinal = this.#ordinal;
    const firstSeq = this.#nextSeq;
    const { count, creditBytes, bodyBytes, cursor, isFinal } = draft;
    this.#inFlight.push({
      ordinal,
      firstSeq,
      count,
      creditBytes,
      bodyBytes,
      cursor,
      isFinal,
      sentMs: nowMs,
    });
    this.#ordinal += 1;
    this.#nextSeq += count;
    this.#unackedBytes += creditBytes;
    return { stream: this.#number, epoch, ordinal, firstSeq, count, cursor };
  }

  acknowledge(ack: AckMessage["streams"][number]): AgentEffect | undefined {
    if (this.#phase !== "open" || ack.epoch !== this.#epoch) {
      return undefined;
    }
    const waiting = this.#inFlight.findIndex(({ ordinal }) => ordinal >= ack.ordinal);
    const acked = this.#inFlight.splice(0, waiting === -1 ? this.#inFlight.length : waiting);
    const last = acked.at(-1);
    if (last === undefined) {
      return undefined;
    }
    this.#unackedBytes -= acked.reduce((sum, frame) => sum + frame.creditBytes, 0);
    // The gap that takes a rejected batch's place is always accepted: only a batch ends the row.
    if (acked.some((frame) => frame.creditBytes > 0)) {
      this.#rejectsInARow = 0;
    }
    return {
      kind: "acked",
      key: this.offer.key,
      nextSeq: last.firstSeq + last.count,
      cursor: last.cursor,
      finished: last.isFinal,
    };
  }

  reject(reject: RejectMessage): AgentEffect | undefined {
    if (this.#phase !== "open") {
      return undefined;
    }
    const { code, detail } = reject;
    const refused = this.#inFlight.find(({ ordinal }) => ordinal === reject.ordinal);
    this.#rejectsInARow += 1;
    if (this.#rejectsInARow >= LIMITS.rejectsInARow) {
      this.#clear();
      this.#phase = "stopped";
      return { kind: "stopped", key: this.offer.key, code, detail };
    }
    return this.#reposition(
      reject,
      false,
      refused === undefined ? undefined : toRejected(refused, reject),
    );
  }

  /** Whether a frame placed after this rewind is neither acknowledged nor void. */
  isOnItsWay(rewind: number, ordinal: number): boolean {
    const first = this.#inFlight[0];
    return this.#rewinds === rewind && first !== undefined && first.ordinal <= ordinal;
  }

  /** Age of the oldest frame on its way, in ms; undefined when there is none. */
  oldestUnackedMs(nowMs: number): number | undefined {
    const first = this.#inFlight[0];
    return first === undefined ? undefined : nowMs - first.sentMs;
  }

  /** What to report where no frame holds `behindBytes` yet; undefined where it was reported before. */
  backlog(behindBytes: number, nowMs: number): StreamBacklog | undefined {
    const onTheWay = this.#inFlight.reduce((sum, frame) => sum + frame.bodyBytes, 0);
    const backlog = {
      stream: this.#number,
      behindBytes: behindBytes + onTheWay,
      oldestUnackedMs: Math.round(this.oldestUnackedMs(nowMs) ?? 0),
    };
    if (
      backlog.behindBytes === this.#reported?.behindBytes &&
      backlog.oldestUnackedMs === this.#reported.oldestUnackedMs
    ) {
      return undefined;
    }
    this.#reported = backlog;
    return backlog;
  }

  #reposition(to: Standing, created: boolean, rejected: RejectedFrame | undefined): AgentEffect {
    this.#clear();
    const { epoch, ordinal, nextSeq, cursor } = to;
    this.#epoch = epoch;
    this.#ordinal = ordinal;
    this.#nextSeq = nextSeq;
    this.#rewinds += 1;
    const { key } = this.offer;
    return { kind: "rewind", key, epoch: this.#rewinds, nextSeq, cursor, created, rejected };
  }

  #clear(): void {
    this.#inFlight = [];
    this.#unackedBytes = 0;
  }
}

function toRejected(frame: InFlight, { code, detail }: RejectMessage): RejectedFrame {
  const { ordinal, firstSeq, count, cursor: cursorAfter } = frame;
  return { ordinal, firstSeq, count, cursorAfter, code, detail };
}
