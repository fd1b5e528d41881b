import { formatSize } from "@sluice/quantity";
import type { WordCondition } from "@sluice/query";
import type { SearchPlan, SearchSummary } from "@sluice/store";

import { formatCount, formatTable } from "./text-table.ts";

export interface Explanation {
  /** Canonical. */
  readonly filter: string;
  /** What the words of every match fulfil. */
  readonly words: WordCondition;
  readonly summary: SearchSummary;
  /** Rendered, before formatting. */
  readonly answerBytes: number;
  readonly isColored: boolean;
}

const STEPS = [
  { title: "STEP", align: "left" },
  { title: "LEFT", align: "right" },
  { title: "OF", align: "right" },
  { title: "", align: "left" },
] as const;

const PHASES = [
  { title: "PHASE", align: "left" },
  { title: "TIME", align: "right" },
  { title: "", align: "left" },
] as const;

const BAR_WIDTH = 20;
const EIGHTHS = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"] as const;

/** What each step left of the work, and how long it took. */
export function explainSearch(explanation: Explanation): string {
  const { filter, words, summary, answerBytes, isColored } = explanation;
  const { plan, rows, damaged, elapsedMs, bytesRead } = summary;
  const facts: ReadonlyArray<readonly [string, string]> = [
    ["filter", filter],
    ["words", words.kind === "true" ? "none that every match has to hold" : printWords(words)],
  ];
  const outcome: ReadonlyArray<readonly [string, string]> = [
    ["read", `${formatSize(bytesRead)} of records, uncompressed`],
    ["answer", `${formatCount(rows)} ${rows === 1 ? "row" : "rows"}, ${formatSize(answerBytes)}`],
    ...(damaged > 0
      ? [["damaged", `${formatCount(damaged)} blocks could not be decoded`] as const]
      : []),
    ["time", formatMs(elapsedMs)],
  ];
  return [
    lines(facts),
    formatTable(STEPS, stepRows(plan), isColored),
    formatTable(PHASES, phaseRows(plan), isColored),
    lines(outcome),
  ].join("\n");
}

/** Streams and segments by themselves, then blocks: each step leaves some of those of the step before. */
function stepRows(plan: SearchPlan): string[][] {
  const blocks = (name: string, left: number, of: number): string[] => [
    name,
    formatCount(left),
    formatCount(of),
    bar(left, plan.blocksTotal),
  ];
  return [
    ["streams", formatCount(plan.streamsLeft), formatCount(plan.streamsTotal), ""],
    ["segments", formatCount(plan.segmentsLeft), formatCount(plan.segmentsTotal), ""],
    blocks("blocks of them, in the time range", plan.blocksInTimeRange, plan.blocksTotal),
    blocks("  with the severities", plan.blocksOfSeverity, plan.blocksInTimeRange),
    blocks("  with the words", plan.blocksWithWords, plan.blocksOfSeverity),
    ...(plan.blocksCounted > 0
      ? [blocks("  counted without reading", plan.blocksCounted, plan.blocksWithWords)]
      : []),
    blocks("  read", plan.blocksLeft, plan.blocksWithWords),
  ];
}

const PHASE_NAMES: Readonly<Record<keyof SearchPlan["phasesMs"], string>> = {
  plan: "plan: find the blocks",
  read: "read: fetch and decompress",
  scan: "scan: look for matches",
  render: "render: write the rows",
};

/** Threads that share a search each count their own time, so that all phases may take longer than the search. */
function phaseRows({ phasesMs }: SearchPlan): string[][] {
  const total = Object.values(phasesMs).reduce((sum, ms) => sum + ms, 0);
  return Object.entries(PHASE_NAMES).map(([phase, name]) => {
    const tookMs = phasesMs[phase as keyof typeof phasesMs];
    return [name, formatMs(tookMs), bar(tookMs, total)];
  });
}

function printWords(condition: WordCondition): string {
  switch (condition.kind) {
    case "true":
      return "anything";
    case "word":
      return condition.word;
    case "all":
      return condition.of.map(printWords).join(" ");
    case "any":
      return `(${condition.of.map(printWords).join(" or ")})`;
    case "field":
      return printWords(condition.of);
    default:
      return condition satisfies never;
  }
}

/** Eighths of a character; whatever is there at all shows. */
function bar(part: number, whole: number): string {
  if (whole === 0 || part === 0) {
    return "";
  }
  const eighths = Math.max(1, Math.round((part / whole) * BAR_WIDTH * 8));
  return "█".repeat(Math.floor(eighths / 8)) + (EIGHTHS[eighths % 8] ?? "");
}

function lines(facts: ReadonlyArray<readonly [string, string]>): string {
  return facts.map(([name, value]) => `${name.padEnd(8)} ${value}\n`).join("");
}

function formatMs(ms: number): string {
  return ms >= 1000 ? `${(ms / 1000).toFixed(2)} s` : `${ms.toFixed(1)} ms`;
}
