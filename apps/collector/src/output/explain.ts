import { formatSize } from "@sluice/quantity";
import type { SearchSummary } from "@sluice/store";

export interface Explanation {
  /** Canonical. */
  readonly filter: string;
  /** Whole words that every match contains. */
  readonly words: readonly string[];
  readonly summary: SearchSummary;
  /** Rendered, before formatting. */
  readonly answerBytes: number;
}

/** What each step left of the work, and how long it took. */
export function explainSearch({ filter, words, summary, answerBytes }: Explanation): string {
  const { plan, rows, damaged, elapsedMs, bytesRead } = summary;
  const phases = Object.entries(plan.phasesMs)
    .map(([phase, tookMs]) => `${phase} ${formatMs(tookMs)}`)
    .join(", ");
  const lines: ReadonlyArray<readonly [string, string]> = [
    ["filter", filter],
    ["needs", words.length === 0 ? "no whole word" : words.join(" ")],
    ["streams", `${plan.streamsLeft} of ${plan.streamsTotal}`],
    ["blocks", `${plan.blocksLeft} read of ${plan.blocksInTimeRange} in the time range`],
    ["read", `${formatSize(bytesRead)} of records, uncompressed`],
    ["rows", `${rows} (${formatSize(answerBytes)})`],
    ...(damaged > 0 ? [["damaged", `${damaged} blocks could not be decoded`] as const] : []),
    ["time", `${formatMs(elapsedMs)}: ${phases}`],
  ];
  return lines.map(([name, value]) => `${name.padEnd(8)} ${value}\n`).join("");
}

function formatMs(ms: number): string {
  return ms >= 1000 ? `${(ms / 1000).toFixed(2)} s` : `${ms.toFixed(1)} ms`;
}
