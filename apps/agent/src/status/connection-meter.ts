import type { Disconnection } from "../uplink.ts";

export interface PastDisconnection extends Disconnection {
  readonly atMs: number;
}

/** What became of the connection to the collectors so far. Times are milliseconds since the epoch. */
export class ConnectionMeter {
  #collector: string | undefined;
  #connectedAtMs: number | undefined;
  #connections = 0;
  #failedAttempts = 0;
  #retryAtMs: number | undefined;
  #lastDisconnection: PastDisconnection | undefined;

  /** The collector that is connected or was tried last. */
  get collector(): string | undefined {
    return this.#collector;
  }

  get connectedAtMs(): number | undefined {
    return this.#connectedAtMs;
  }

  /** Connections since the start, this one included. */
  get connections(): number {
    return this.#connections;
  }

  /** Attempts in a row that came to nothing. */
  get failedAttempts(): number {
    return this.#failedAttempts;
  }

  get retryAtMs(): number | undefined {
    return this.#retryAtMs;
  }

  get lastDisconnection(): PastDisconnection | undefined {
    return this.#lastDisconnection;
  }

  connected(collector: string, nowMs: number): void {
    this.#collector = collector;
    this.#connectedAtMs = nowMs;
    this.#connections += 1;
    this.#failedAttempts = 0;
    this.#retryAtMs = undefined;
  }

  disconnected(disconnection: Disconnection, nowMs: number): void {
    this.#collector = disconnection.collector;
    this.#failedAttempts += this.#connectedAtMs === undefined ? 1 : 0;
    this.#connectedAtMs = undefined;
    this.#retryAtMs = nowMs + disconnection.retryInMs;
    this.#lastDisconnection = { ...disconnection, atMs: nowMs };
  }
}
