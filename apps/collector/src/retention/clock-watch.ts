import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { timeUs } from "@sluice/quantity";
import type { TimeUs } from "@sluice/quantity";
import { clockSuspect } from "@sluice/retention";
import * as z from "zod";

/** The two clocks of a machine: one that people set, and one that only runs. */
export interface Clocks {
  wallUs(): TimeUs;
  monotonicMs(): number;
}

export const SYSTEM_CLOCKS: Clocks = {
  wallUs: () => timeUs(Date.now() * 1000),
  monotonicMs: () => performance.now(),
};

/** Ages are not looked at: the clock did something that only a person can judge. */
export interface Suspension {
  readonly reason: string;
  readonly sinceUs: TimeUs;
  /** The last moment at which the clock was believed: cutoffs stay where they were then. */
  readonly trustedUs: TimeUs;
}

const time = z.int().transform((us) => timeUs(us));
const SUSPENSION = z.object({ reason: z.string(), sinceUs: time, trustedUs: time });

/**
 * Watches the collector's clock and says whether it may decide about ages. A suspension lies in a
 * file of the data folder, since a restart confirms nothing: after a leap of a year the first lines
 * received make the new time look continuous.
 */
export class ClockWatch {
  readonly #path: string;
  readonly #clocks: Clocks;
  #suspension: Suspension | undefined;
  #written: Suspension | undefined;
  #lastWallUs: TimeUs;
  #lastMonotonicMs: number;

  private constructor(path: string, clocks: Clocks, suspension: Suspension | undefined) {
    this.#path = path;
    this.#clocks = clocks;
    this.#suspension = suspension;
    this.#written = suspension;
    this.#lastWallUs = clocks.wallUs();
    this.#lastMonotonicMs = clocks.monotonicMs();
  }

  /**
   * Takes up the suspension of an earlier run, or compares the clock with the last receipt.
   * Undefined for `lastReceiptUs` where nothing was ever received.
   */
  static async start(
    dataDir: string,
    lastReceiptUs: TimeUs | undefined,
    clocks: Clocks = SYSTEM_CLOCKS,
  ): Promise<ClockWatch> {
    const path = join(dataDir, "clock-suspect.json");
    const watch = new ClockWatch(path, clocks, await readSuspension(path));
    const wallUs = watch.#lastWallUs;
    const reason = clockSuspect({ kind: "start", wallUs, lastReceiptUs });
    if (reason !== undefined) {
      watch.#suspension ??= { reason, sinceUs: wallUs, trustedUs: lastReceiptUs ?? wallUs };
    }
    return watch;
  }

  /** What `observe` would say now, without a trace. */
  look(): Suspension | undefined {
    if (this.#suspension !== undefined) {
      return this.#suspension;
    }
    const sinceUs = this.#clocks.wallUs();
    const trustedUs = this.#lastWallUs;
    const reason = clockSuspect({
      kind: "running",
      wallDeltaMs: (sinceUs - trustedUs) / 1000,
      monotonicDeltaMs: this.#clocks.monotonicMs() - this.#lastMonotonicMs,
    });
    return reason === undefined ? undefined : { reason, sinceUs, trustedUs };
  }

  /** Looks at how the clocks have moved since it last did, and writes a suspension down. */
  async observe(): Promise<Suspension | undefined> {
    const suspension = this.look();
    this.#lastWallUs = this.#clocks.wallUs();
    this.#lastMonotonicMs = this.#clocks.monotonicMs();
    this.#suspension = suspension;
    if (suspension !== undefined && suspension !== this.#written) {
      await writeFile(`${this.#path}.tmp`, `${JSON.stringify(suspension)}\n`, { mode: 0o600 });
      await rename(`${this.#path}.tmp`, this.#path);
      this.#written = suspension;
    }
    return suspension;
  }

  /** A person has looked at the clock: it is right as it is now. */
  async confirm(): Promise<void> {
    this.#lastWallUs = this.#clocks.wallUs();
    this.#lastMonotonicMs = this.#clocks.monotonicMs();
    await rm(this.#path, { force: true });
    this.#suspension = undefined;
    this.#written = undefined;
  }
}

async function readSuspension(path: string): Promise<Suspension | undefined> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") {
      return undefined;
    }
    throw error;
  }
  // A file that cannot be read suspends as well: that deletes nothing, and hides nothing either.
  return SUSPENSION.catch({
    reason: `${path} cannot be read`,
    sinceUs: timeUs(0),
    trustedUs: timeUs(0),
  }).parse(parseJson(text));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
