declare const timeBrand: unique symbol;

/** A moment in whole microseconds since 1970-01-01T00:00:00Z, within 2^53 - 1 either way: the years 1684 to 2255. */
export type TimeUs = number & { readonly [timeBrand]: true };

/** Whose calendar and clock a time is read or printed in. `local` is the zone of the process. */
export type Zone = "local" | "utc";

/** Checks a number of microseconds. Throws a RangeError for anything but a safe integer. */
export function timeUs(us: number): TimeUs {
  if (!isTimeUs(us)) {
    throw new RangeError(`a time is a whole number of microseconds since 1970, not ${us}`);
  }
  return us;
}

export function isTimeUs(us: number): us is TimeUs {
  return Number.isSafeInteger(us);
}

/**
 * Prints RFC 3339 with microseconds always, so that the texts of one zone sort as their times do:
 * `2026-11-22T08:00:00.123456Z`, or with the offset in force at that moment, `2026-11-22T09:00:00.123456+01:00`.
 * An offset with seconds (some zones before 1972) is rounded to minutes, and the clock is printed to fit it.
 */
export function formatTimeRfc3339(time: TimeUs, zone: Zone = "utc"): string {
  const wholeMs = Math.floor(time / 1000);
  const offsetMinutes = zone === "utc" ? 0 : -Math.round(new Date(wholeMs).getTimezoneOffset());
  const shown = new Date(wholeMs + offsetMinutes * 60_000).toISOString().slice(0, -1);
  const restUs = String(time - wholeMs * 1000).padStart(3, "0");
  return shown + restUs + (zone === "utc" ? "Z" : formatOffset(offsetMinutes));
}

function formatOffset(offsetMinutes: number): string {
  const minutes = Math.abs(offsetMinutes);
  const hours = String(Math.floor(minutes / 60)).padStart(2, "0");
  return `${offsetMinutes < 0 ? "-" : "+"}${hours}:${String(minutes % 60).padStart(2, "0")}`;
}
