import type { Zone } from "@sluice/quantity";

const DAY_MS = 86_400_000;

/**
 * Gives the start of the bucket that a time lies in, both in microseconds since 1970. Buckets of whole days begin at
 * midnight of the zone, counted from 1970-01-01, and so are an hour shorter or longer where clocks change. Others are
 * counted from the epoch in elapsed time, so that no clock change merges or splits one.
 */
export function compileTimeBucket(bucketMs: number, zone: Zone): (timeUs: number) => number {
  if (zone === "utc" || bucketMs % DAY_MS !== 0) {
    const bucketUs = bucketMs * 1000;
    return (timeUs) => Math.floor(timeUs / bucketUs) * bucketUs;
  }
  const bucketDays = bucketMs / DAY_MS;
  // Times come nearly in order: the bucket of the last one is nearly always the one again.
  let startUs = 0;
  let endUs = 0;
  return (timeUs) => {
    if (timeUs < startUs || timeUs >= endUs) {
      const local = new Date(Math.floor(timeUs / 1000));
      const day = Date.UTC(local.getFullYear(), local.getMonth(), local.getDate()) / DAY_MS;
      const firstDay = Math.floor(day / bucketDays) * bucketDays;
      startUs = localMidnightUs(firstDay);
      endUs = localMidnightUs(firstDay + bucketDays);
    }
    return startUs;
  };
}

/** `day` counts from 1970-01-01. */
function localMidnightUs(day: number): number {
  return new Date(1970, 0, 1 + day).getTime() * 1000;
}
