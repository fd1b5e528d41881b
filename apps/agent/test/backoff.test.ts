import { LIMITS } from "@sluice/protocol";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { Backoff } from "../src/backoff.ts";

/** The longest wait of each attempt, in ms. */
function caps(backoff: Backoff, attempts: number): number[] {
  return Array.from({ length: attempts }, () => backoff.nextMs());
}

const LONGEST = 1 - Number.EPSILON;

describe("backoff", () => {
  it("doubles the longest wait from half a second to a minute, and stays there", () => {
    const rounded = caps(new Backoff(() => LONGEST), 10).map(Math.round);
    expect(rounded).toEqual([500, 1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000, 60_000]);
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

  it("waits as after many attempts where the first cannot be mended by waiting", () => {
    const backoff = new Backoff(() => LONGEST);
    expect(Math.round(backoff.nextMs(true))).toBe(LIMITS.reconnectMaxMs);
    expect(Math.round(backoff.nextMs())).toBe(LIMITS.reconnectMaxMs);
  });
});
