import { decodeColumns } from "@sluice/protocol";
import { describe, expect, test } from "vitest";
import { RecordBatchMaker, RecordLog } from "../../src/corpus/record-batches.ts";
import type { RecordLogOptions } from "../../src/corpus/record-batches.ts";
import type { Transfer } from "../../src/corpus/transfer.ts";

const START_US = Date.UTC(2026, 10, 22, 8) * 1000;
const BATCH_BYTES = 300_000;

function options(kind: RecordLogOptions["kind"], stream = 3): RecordLogOptions {
  return { kind, stream, seed: 7, bytes: 0, startUs: START_US, linesPerSecond: 100 };
}

describe.each(["syslog", "nginx", "json", "java"] as const)("batches of a %s log", (kind) => {
  test("hold each line as a record, in order, with times that never go back", () => {
    const maker = new RecordBatchMaker();
    const log = new RecordLog(options(kind));
    let lastUs = START_US;
    for (let i = 0; i < 3; i++) {
      const { count, text, payload, minTimeUs, maxTimeUs } = maker.make(log, BATCH_BYTES);
      const decoded = decodeColumns(payload, count);
      expect(decoded.ok).toBe(true);
      if (!decoded.ok) return;
      const { bodies, timesUs, severities } = decoded.value;
      expect(Buffer.from(bodies).equals(text)).toBe(true);
      expect(text.toString("latin1").split("\n").length - 1).toBe(count);
      const times = timesUs.slice(0, count);
      expect(times).toEqual(times.toSorted((a, b) => a - b));
      expect(minTimeUs).toBe(times[0]);
      expect(maxTimeUs).toBe(times.at(-1));
      expect(minTimeUs).toBeGreaterThanOrEqual(lastUs);
      lastUs = maxTimeUs;
      const levels = new Set(severities.slice(0, count));
      expect(levels.size > 1).toBe(kind !== "nginx");
    }
  });

  test("hold the ids of each transfer once, as words", () => {
    const { text, transfers } = new RecordBatchMaker().make(new RecordLog(options(kind)), 1e6);
    const lines = text.toString("latin1");
    expect(transfers.length).toBeGreaterThan(20);
    for (const { ref, number, hasSettled } of transfers) {
      expect(ref).toMatch(/^[0-9a-f]{16}$/);
      expect(String(number)).toMatch(/^\d{9,10}$/);
      expect(lines.match(new RegExp(`\\b${ref}\\b`, "g"))).toHaveLength(1);
      expect(lines.match(new RegExp(`\\b${number}\\b`, "g"))).toHaveLength(1);
      const line = lines.split("\n").find((one) => one.includes(ref)) ?? "";
      expect(/declined|reversed|disputed/.test(line)).toBe(!hasSettled);
    }
  });
});

test("no two logs of a corpus share a transfer's number", () => {
  const maker = new RecordBatchMaker();
  const transfers: Transfer[] = [0, 1, 63].flatMap((stream) =>
    Array.from(maker.make(new RecordLog(options("java", stream)), 1e6).transfers),
  );
  expect(new Set(transfers.map(({ number }) => number)).size).toBe(transfers.length);
});
