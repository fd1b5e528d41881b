import { Lease } from "./lease.ts";

/** What was killed cannot give its lease back: it runs out by itself. */
const LEASE_MS = 30 * 60_000;

const RENEW_AFTER_MS = 5 * 60_000;

/** A lease for long work, renewed as the work goes on. */
export class HeldVersion implements Disposable {
  readonly #dataDir: string;
  readonly #version: number;
  #lease: Lease;
  #takenMs: number;

  constructor(dataDir: string, version: number, nowMs: number) {
    this.#dataDir = dataDir;
    this.#version = version;
    this.#takenMs = nowMs;
    this.#lease = Lease.take(dataDir, version, nowMs + LEASE_MS);
  }

  /** Call it between two steps, each of which takes less than 25 minutes. */
  renew(nowMs: number): void {
    if (nowMs - this.#takenMs >= RENEW_AFTER_MS) {
      const next = Lease.take(this.#dataDir, this.#version, nowMs + LEASE_MS);
      this.#lease[Symbol.dispose]();
      this.#lease = next;
      this.#takenMs = nowMs;
    }
  }

  [Symbol.dispose](): void {
    this.#lease[Symbol.dispose]();
  }
}
