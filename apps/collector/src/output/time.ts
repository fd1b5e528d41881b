import { formatTimeRfc3339, timeUs, type Zone } from "@sluice/quantity";

const WEEKDAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"] as const;

/** `2026-11-22T08:00:00.123+01:00`, or with `Z`. */
export function formatMoment(ms: number, zone: Zone): string {
  const text = formatTimeRfc3339(timeUs(ms * 1000), zone);
  return text.slice(0, 23) + text.slice(26);
}

/** `08:00:00.123` */
export function formatClock(ms: number, zone: Zone): string {
  return formatMoment(ms, zone).slice(11, 23);
}

/** `Sun 2026-11-22` */
export function formatDay(ms: number, zone: Zone): string {
  const date = new Date(ms);
  const weekday = WEEKDAYS[zone === "utc" ? date.getUTCDay() : date.getDay()] ?? "";
  return `${weekday} ${formatMoment(ms, zone).slice(0, 10)}`;
}
