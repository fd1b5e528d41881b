import type { Log } from "@sluice/service";
import type { JobRecord } from "@sluice/store";
import { expect, test } from "vitest";

import { describePause, logGuard } from "../src/guard/guard-log.ts";

const MiB = 1_000_000;
const VOLUME = {
  freeBytes: 9 * MiB,
  totalBytes: 64 * MiB,
  roomBytes: 2 * MiB,
  walBytes: 0,
  foldBytes: 0,
  missingBallastBytes: 0,
};
const PAUSE = { reason: "room", sinceMs: 0, volume: VOLUME, floorBytes: 4 * MiB } as const;

test("a pause says what is free, what of it is spoken for, and what is needed", () => {
  expect(describePause(PAUSE)).toMatchInlineSnapshot(
    `"9 MB of 64 MB are free, of which 7 MB are spoken for; ingest needs 4 MB"`,
  );
  expect(
    describePause({ ...PAUSE, volume: { ...VOLUME, roomBytes: 9 * MiB } }),
  ).toMatchInlineSnapshot(`"9 MB of 64 MB are free; ingest needs 4 MB"`);
});

test("an entry that found no room is written with the exit, in the order of the events", async () => {
  const written: JobRecord[] = [];
  let isFull = true;
  const record = (job: JobRecord): Promise<void> => {
    if (isFull) return Promise.reject(new Error("full"));
    written.push(job);
    return Promise.resolve();
  };
  const said: string[] = [];
  const say = (_fields: object, text: string): void => void said.push(text);
  const log = { info: say, warn: say, error: say } as unknown as Log;
  const events = logGuard(log, { record }, () => 5_000_000);
  events.paused(PAUSE);
  events.ballastReleased(3 * MiB);
  await new Promise((resolve) => setImmediate(resolve));
  expect(written).toEqual([]);
  isFull = false;
  events.resumed(VOLUME, 1_500);
  await new Promise((resolve) => setImmediate(resolve));
  expect(written.map(({ kind, startedUs, tookMs }) => [kind, startedUs, tookMs])).toEqual([
    ["disk-guard", 5_000_000, 0],
    ["disk-guard", 5_000_000, 0],
    ["disk-guard", 3_500_000, 1_500],
  ]);
  expect(written.map(({ detail }) => detail.split(":")[0])).toEqual([
    "ingest paused",
    "released the ballast",
    "ingest resumed after 1.5s",
  ]);
  expect(said).toHaveLength(3);
});
