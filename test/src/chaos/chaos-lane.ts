import type { Socket } from "node:net";
import { setImmediate as nextTurn, setTimeout as delay } from "node:timers/promises";

import { type WireFrame, WireFrameReader } from "./wire-frame.ts";

/** How bytes travel; shared by all lanes of a proxy, and changed while they run. */
export interface Weather {
  /** Size of the next piece that is written by itself; undefined passes frames on whole. */
  pieceBytes: (() => number) | undefined;
  bytesPerSecond: number | undefined;
}

/** What may wait in a lane before it stops reading. */
const QUEUE_BYTES = 16 * 1024 * 1024;

/** One direction of a connection: reads whole frames from one socket and writes them to the other. */
export class ChaosLane {
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #weather: Weather;
  readonly #reader = new WireFrameReader();
  /** Decides about each frame as it arrives: whether it is passed on. */
  readonly #inspect: (frame: WireFrame) => boolean;
  readonly #queue: Buffer[] = [];
  #queuedBytes = 0;
  #held: WireFrame[] | undefined;
  #isPumping = false;
  #isSwallowing = false;
  #end: (() => void) | undefined;

  constructor(from: Socket, to: Socket, weather: Weather, inspect: (frame: WireFrame) => boolean) {
    this.#from = from;
    this.#to = to;
    this.#weather = weather;
    this.#inspect = inspect;
    from.on("data", (chunk: Buffer) => this.#take(chunk));
    from.on("end", () => this.#finish(() => to.end()));
    // The reset of a killed process is passed on as what it is.
    from.on("error", () => this.#finish(() => to.resetAndDestroy()));
    from.on("close", () => this.#finish(() => to.end()));
  }

  /** Frames that arrive from now on wait, in order, until `release`. */
  hold(): void {
    this.#held ??= [];
  }

  release(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const { bytes } of held) this.send(bytes);
    void this.#pump();
  }

  /** Takes whatever comes and passes nothing on, the end of the connection included. */
  swallow(): void {
    this.#isSwallowing = true;
  }

  send(bytes: Buffer): void {
    this.#queue.push(bytes);
    this.#queuedBytes += bytes.length;
    if (this.#queuedBytes > QUEUE_BYTES) this.#from.pause();
    void this.#pump();
  }

  #take(chunk: Buffer): void {
    if (this.#isSwallowing) return;
    for (const frame of this.#reader.push(chunk)) {
      if (!this.#inspect(frame)) continue;
      if (this.#held === undefined) this.send(frame.bytes);
      else this.#held.push(frame);
    }
  }

  #finish(end: () => void): void {
    this.#end ??= end;
    void this.#pump();
  }

  async #pump(): Promise<void> {
    if (this.#isPumping) return;
    this.#isPumping = true;
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
      this.#queuedBytes -= next.length;
      await this.#write(next);
    }
    this.#isPumping = false;
    if (this.#isSwallowing) return;
    this.#from.resume();
    if (this.#held === undefined) this.#end?.();
  }

  async #write(bytes: Buffer): Promise<void> {
    const { pieceBytes, bytesPerSecond } = this.#weather;
    let at = 0;
    while (at < bytes.length && !this.#isSwallowing && this.#to.writable) {
      const size = Math.max(1, pieceBytes?.() ?? bytes.length);
      const piece = bytes.subarray(at, at + size);
      at += size;
      const isRoomy = this.#to.write(piece);
      if (!isRoomy) await drained(this.#to);
      if (pieceBytes !== undefined) await nextTurn();
      if (bytesPerSecond !== undefined) await delay((piece.length * 1000) / bytesPerSecond);
    }
  }
}

/** Resolves when the socket takes more, or will never do so again. */
function drained(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const finish = (): void => {
      socket.off("drain", finish).off("close", finish);
      resolve();
    };
    socket.on("drain", finish).on("close", finish);
  });
}
