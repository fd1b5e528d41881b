/** Counts, sizes and rates as people read them. */

const UNITS = ["B", "kB", "MB", "GB", "TB"];

export function formatCount(count) {
  return Math.round(count).toLocaleString("en-US");
}

export function formatBytes(bytes) {
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${UNITS[unit]}`;
}

export function plural(count, noun) {
  return `${formatCount(count)} ${noun}${count === 1 ? "" : "s"}`;
}

/** Lines and bytes a second between two figures. */
export function rateBetween(earlier, later) {
  const seconds = Math.max(0.001, (later.atMs - earlier.atMs) / 1000);
  return {
    lines: (later.records - earlier.records) / seconds,
    bytes: (later.bytes - earlier.bytes) / seconds,
  };
}

export function formatRate(rate) {
  return `${formatCount(rate.lines)} lines/s, ${formatBytes(rate.bytes)}/s`;
}
