import { durationMs, formatDuration, formatTimeRfc3339 } from "@sluice/quantity";
import type { TimeUs } from "@sluice/quantity";

/** Clocks are corrected by seconds, and by an hour only where somebody took a time zone for a time. */
export const MAX_CLOCK_JUMP_MS = 3_600_000;

/** A collector may well be off for a weekend; after a week its clock has to be believed by a person. */
export const MAX_START_LEAP_MS: number = 7 * 86_400_000;

/** What is known about the wall clock: how it moved beside the monotonic one, or at start, where the data ends. */
export type ClockObservation =
  | { readonly kind: "running"; readonly wallDeltaMs: number; readonly monotonicDeltaMs: number }
  | {
      readonly kind: "start";
      readonly wallUs: TimeUs;
      /** Undefined where nothing is stored yet. */
      readonly lastReceiptUs: TimeUs | undefined;
    };

/**
 * Says why the wall clock should not decide about ages, or undefined where it may. A clock that is wrong by years would
 * otherwise expire everything at once, and correcting it would bring nothing back. A running clock may not jump by more
 * than an hour, either way; at start it may not be more than 7 days past the last receipt. One that starts before the
 * last receipt makes records seem younger, which deletes nothing.
 */
export function clockSuspect(observation: ClockObservation): string | undefined {
  switch (observation.kind) {
    case "running": {
      const jumpMs = observation.wallDeltaMs - observation.monotonicDeltaMs;
      if (Math.abs(jumpMs) <= MAX_CLOCK_JUMP_MS) {
        return undefined;
      }
      const direction = jumpMs > 0 ? "forward" : "back";
      return `the clock was set ${direction} by ${formatDuration(wholeSecondsMs(Math.abs(jumpMs)))}, or the machine slept`;
    }
    case "start": {
      const { wallUs, lastReceiptUs } = observation;
      if (lastReceiptUs === undefined || wallUs - lastReceiptUs <= MAX_START_LEAP_MS * 1000) {
        return undefined;
      }
      const leap = formatDuration(wholeSecondsMs((wallUs - lastReceiptUs) / 1000));
      return `the clock is ${leap} past the last record, which was received at ${formatTimeRfc3339(lastReceiptUs)}`;
    }
    default:
      return observation satisfies never;
  }
}

function wholeSecondsMs(ms: number): number {
  return durationMs(Math.floor(ms / 1000) * 1000);
}
