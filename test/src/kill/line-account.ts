import { createHash } from "node:crypto";

import type { NumberedLines } from "../numbered-lines.ts";

/** What is wrong with a sequence of stored lines, in sentences; empty where it is the written one. */
export function accountForLines(
  name: string,
  stored: Iterable<readonly Uint8Array[]>,
  lines: NumberedLines,
  written: number,
): string[] {
  const expected = createHash("sha256");
  for (let number = 0; number < written; number++) expected.update(lines.line(number), "latin1");
  const found = createHash("sha256");
  const times = new Uint8Array(written);
  let strangers = 0;
  let outOfOrder = 0;
  let previous = -1;
  for (const batch of stored) {
    for (const line of batch) {
      found.update(line);
      const number = lines.numberOf(line);
      if (number === undefined || number >= written) {
        strangers += 1;
        continue;
      }
      times[number] = (times[number] ?? 0) + 1;
      outOfOrder += number === previous + 1 ? 0 : 1;
      previous = number;
    }
  }
  const missing = times.filter((count) => count === 0).length;
  const doubled = times.filter((count) => count > 1).length;
  const faults = [
    [missing, `missing, the first is ${times.indexOf(0)}`],
    [doubled, `stored more than once, the first is ${times.findIndex((count) => count > 1)}`],
    [outOfOrder, "not behind the line before it"],
    [strangers, "never written"],
  ] as const;
  const problems = faults.flatMap(([count, what]) =>
    count === 0 ? [] : [`${name}: ${count} of ${written} lines ${what}`],
  );
  if (problems.length === 0 && expected.digest("hex") !== found.digest("hex")) {
    problems.push(`${name}: the content of a line differs`);
  }
  return problems;
}
