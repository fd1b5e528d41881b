import type { Clock } from "./clock.ts";
import type { LineWriter } from "./line-writer.ts";
import type { Prng } from "./prng.ts";
import type { World } from "./world.ts";

/** What the lines of one run are drawn from. */
export interface Scene {
  readonly prng: Prng;
  readonly clock: Clock;
  readonly world: World;
}

/**
 * Writes the next event of one kind of log: one line, or a few that belong together, each with its
 * line feed. Returns its severity as OpenTelemetry numbers it, 0 where the line names none; its time
 * is where the clock then stands.
 */
export type LineSource = (line: LineWriter) => number;

/** OpenTelemetry's numbers of the levels that generated lines name. */
export const SEVERITY = { none: 0, debug: 5, info: 9, warn: 13, error: 17 } as const;

/** Makes a choice among entries by their weights, in constant time: an entry per share of the whole. */
export function weighted<Entry extends { readonly weight: number }>(
  entries: readonly Entry[],
): (prng: Prng) => Entry {
  const shares = entries.flatMap((entry) => Array.from({ length: entry.weight }, () => entry));
  return (prng) => {
    const entry = shares[prng.below(shares.length)];
    if (entry === undefined) throw new Error("nothing to choose from");
    return entry;
  };
}
