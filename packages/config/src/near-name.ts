/** Beyond two slips of the finger, a suggestion is a guess. */
const MAX_SLIPS = 2;

/**
 * The candidate that a name was most likely meant to be, or undefined. Case, `-` and `_` do not count as differences;
 * of equally near ones the first wins.
 */
export function nearName(name: string, candidates: Iterable<string>): string | undefined {
  const wanted = plain(name);
  let best: string | undefined;
  let bestSlips = Math.min(MAX_SLIPS, Math.floor((wanted.length - 1) / 2)) + 1;
  for (const candidate of candidates) {
    const slips = slipsBetween(wanted, plain(candidate), bestSlips);
    if (slips < bestSlips) {
      best = candidate;
      bestSlips = slips;
    }
  }
  return best;
}

function plain(name: string): string {
  return name.toLowerCase().replaceAll(/[-_]/g, "");
}

/**
 * Optimal string alignment: insertions, deletions, substitutions and swaps of neighbours, each counted once.
 * Anything from `limit` up is given as `limit`.
 */
function slipsBetween(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) {
    return limit;
  }
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const same = a[row - 1] === b[column - 1];
      let slips = Math.min(
        cell(last, column) + 1,
        cell(current, column - 1) + 1,
        cell(last, column - 1) + (same ? 0 : 1),
      );
      if (row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]) {
        slips = Math.min(slips, cell(beforeLast, column - 2) + 1);
      }
      current.push(slips);
    }
    beforeLast = last;
    last = current;
  }
  return Math.min(cell(last, b.length), limit);
}

function cell(row: readonly number[], column: number): number {
  return row[column] ?? Number.POSITIVE_INFINITY;
}
