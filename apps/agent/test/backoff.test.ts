import { LIMITS } from "@sluice/protocol";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { Backoff } from "../src/backoff.ts";

/** The longest wait of each attempt, in ms. */
function caps(backoff: Backoff, attempts: number): number[] {
  return Array.from({ length: attempts }, () => backoff.nextMs());
}

/** Marsaglia's xorshift: the same fleet in each run. */
function seededRandom(seed: number): () => number {
  let x = seed * 0x9e3779b1;
  return () => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return (x >>> 0) / 2 ** 32;
  };
}

/** How long after its collector is back an agent comes, in ms. */
function firstAttemptAfter(backoff: Backoff, awayMs: number): number {
  let atMs = 0;
  while (atMs < awayMs) {
    atMs += backoff.nextMs();
  }
  return atMs - awayMs;
}

/** Attempts in the busiest second after a restart, as a multiple of the mean over all seconds until the last. */
function busiestSecond(arrivalsMs: readonly number[]): number {
  const seconds = arrivalsMs.map((ms) => Math.floor(ms / 1_000));
  const counts = Array.from({ length: Math.max(...seconds) + 1 }, () => 0);
  for (const second of seconds) {
    counts[second] = (counts[second] ?? 0) + 1;
  }
  return Math.max(...counts) / (arrivalsMs.length / counts.length);
}

const LONGEST = 1 - Number.EPSILON;

describe("backoff", () => {
  it("adds half to the longest wait from half a second to a minute, and stays there", () => {
    const longest = caps(new Backoff(() => LONGEST), 16).map(Math.round);
    expect(longest.slice(0, 4)).toEqual([500, 750, 1125, 1687]);
    expect(longest.slice(11)).toEqual([43_249, 60_000, 60_000, 60_000, 60_000]);
  });

  it("draws each wait evenly from nothing to the longest, also at the cap", () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), {
          minLength: 1,
          maxLength: 20,
        }),
        (draws) => {
          let at = 0;
          const waits = caps(new Backoff(() => draws[at++] ?? 0), draws.length);
          const longest = caps(new Backoff(() => 1), draws.length);
          expect(waits).toEqual(draws.map((draw, i) => draw * (longest[i] ?? 0)));
        },
      ),
    );
  });

  it("begins anew when a connection was welcomed", () => {
    const backoff = new Backoff(() => LONGEST);
    caps(backoff, 6);
    backoff.reset();
    expect(Math.round(backoff.nextMs())).toBe(LIMITS.reconnectMinMs);
  });

  it.each([1, 2, 5])(
    "spreads 500 agents over 20 restarts of a collector that is away for %d minutes each: the busiest second has at most three times the mean",
    (minutes) => {
      const random = seededRandom(minutes);
      const arrivalsMs = Array.from({ length: 20 * 500 }, () =>
        firstAttemptAfter(new Backoff(random), minutes * 60_000),
      );
      expect(busiestSecond(arrivalsMs)).toBeLessThanOrEqual(3);
    },
  );

  it.each([0.3, 0.5, 1, 2, 3, 4, 5])(
    "spreads them over one that is away for %d s too, until 95 of 100 are back",
    (seconds) => {
      for (let seed = 1; seed <= 20; seed++) {
        const random = seededRandom(seed);
        const arrivalsMs = Array.from({ length: 500 }, () =>
          firstAttemptAfter(new Backoff(random), seconds * 1_000),
        ).toSorted((a, b) => a - b);
        expect(busiestSecond(arrivalsMs.slice(0, 475))).toBeLessThanOrEqual(3);
      }
    },
  );

  it("waits as after many attempts where the first cannot be mended by waiting", () => {
    const backoff = new Backoff(() => LONGEST);
    expect(Math.round(backoff.nextMs(true))).toBe(LIMITS.reconnectMaxMs);
    expect(Math.round(backoff.nextMs())).toBe(LIMITS.reconnectMaxMs);
  });
});
