import { describe, expect, it } from "vitest";

import { RateMeter } from "../../src/status/rate-meter.ts";
import { StreamMeter } from "../../src/status/stream-meter.ts";
import { emptyLedger, encodeStreamCursor } from "../../src/stream-ledger.ts";

/** A cursor of a source without offsets. */
function cursorWith(counts: Partial<ReturnType<typeof emptyLedger>>): Uint8Array {
  return encodeStreamCursor({
    counts: { ...emptyLedger(0), ...counts },
    source: Buffer.from("j"),
    isEnd: false,
  });
}

describe("a rate", () => {
  it.each([
    ["steady", 1_000, 100],
    ["in bursts of five seconds", 5_000, 500],
  ])("that is %s is told within a fifth after a minute", (_, everyMs, amount) => {
    const meter = new RateMeter();
    let nowMs = 0;
    for (; nowMs < 60_000; nowMs += everyMs) meter.add(amount, nowMs);
    const middle = nowMs - everyMs / 2;
    expect(Math.abs(meter.perSecond(middle) - 100)).toBeLessThan(20);
  });

  it("is told from the first seconds on, not only when its span has passed", () => {
    const meter = new RateMeter();
    for (let nowMs = 0; nowMs < 3_000; nowMs += 100) meter.add(10, nowMs);
    expect(Math.abs(meter.perSecond(3_000) - 100)).toBeLessThan(20);
  });

  it("is 0 before anything was counted, and fades when nothing comes", () => {
    const meter = new RateMeter();
    expect(meter.perSecond(5)).toBe(0);
    meter.add(1_000, 10);
    expect(meter.perSecond(120_010)).toBeLessThan(0.01);
  });
});

describe("what is measured of a stream", () => {
  it("is how long it has been behind, from when it last was not", () => {
    const meter = new StreamMeter(0);
    meter.observe(0, 1_000);
    meter.observe(10, 2_000);
    expect(meter.lagMs(10, 4_500)).toBe(3_500);
    expect(meter.lagMs(0, 4_500)).toBe(0);
    meter.observe(0, 5_000);
    meter.observe(10, 6_000);
    expect(meter.lagMs(10, 6_500)).toBe(1_500);
  });

  it("is what each ack has moved it on by, from where the collector says that it stands", () => {
    const meter = new StreamMeter(0);
    meter.rewound(5, cursorWith({ storedBytes: 50, filteredBytes: 7, filteredRecords: 1 }));
    const amount = meter.acked(
      8,
      cursorWith({ storedBytes: 80, filteredBytes: 17, filteredRecords: 2, lostBytes: 9 }),
      1,
    );
    expect(amount).toEqual({
      records: 3,
      storedBytes: 30,
      filteredBytes: 10,
      filteredRecords: 1,
      gapBytes: 0,
      lostBytes: 9,
    });
    expect(meter.account).toEqual({
      seenBytes: 97,
      storedBytes: 80,
      filteredBytes: 17,
      filteredRecords: 2,
      gapBytes: 0,
      lostBytes: 9,
      unaccountedBytes: 0,
    });
  });
});
