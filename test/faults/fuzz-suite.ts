import { runFuzz, type FuzzRun } from "../src/fuzz/fuzz-run.ts";

/** Mutated frames and raw bytes against a running collector; returns whether it, and a healthy agent, were well. */
export async function runFuzzSuite(run: FuzzRun): Promise<boolean> {
  const outcome = await runFuzz(run);
  const { hostile, raw, problems } = outcome;
  const figures: [string, string | number][] = [
    ["seed", run.seed],
    ["mutated frames", hostile.frames],
    ["raw byte strings", raw.strings],
    ["duration", `${outcome.seconds.toFixed(1)} s`],
    ["connections of hostile agents", hostile.connections],
    ["answers to frames", list(hostile.answers)],
    ["closed with", list(hostile.closes)],
    ["replies to raw bytes", list(raw.replies)],
    ["collector's peak RSS", `${outcome.peakRssMiB.toFixed(0)} MiB`],
    [
      "event loop late, p99",
      `${outcome.loopP99Ms.toFixed(1)} ms (at most ${outcome.loopMaxMs.toFixed(0)} ms)`,
    ],
    ["that of an idle process", `${outcome.idleP99Ms.toFixed(1)} ms`],
    ["lines of a healthy agent", outcome.lines],
    ["its longest wait", `${outcome.longestWaitMs.toFixed(0)} ms`],
    ["verdict", problems.length === 0 ? "it held" : problems.join("\n")],
  ];
  for (const [name, value] of figures) console.log(`${name.padEnd(30)} ${value}`);
  return problems.length === 0;
}

function list(counts: ReadonlyMap<string | number, number>): string {
  return [...counts]
    .toSorted(([, a], [, b]) => b - a)
    .map(([name, count]) => `${count} ${name}`)
    .join(", ");
}
