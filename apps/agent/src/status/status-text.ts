import { formatDuration, formatSize } from "@sluice/quantity";
import { createPaint, escapeText, type Paint } from "@sluice/service";

import type { AgentStatus, StreamStatus } from "./status-document.ts";

type Row = readonly string[];

const TITLES: Row = [
  "SOURCE",
  "STATE",
  "BEHIND",
  "FOR",
  "LINES/S",
  "BYTES/S",
  "STORED",
  "FILTERED",
  "GAPS",
];

/** The status for a person: the connection, then the streams, those furthest behind first. */
export function formatStatus(status: AgentStatus, hasColor: boolean, nowMs: number): string {
  const paint = createPaint(hasColor);
  const { host, version, pid, uptimeMs, rssBytes, stateDir } = status;
  const facts: (readonly [string, string])[] = [
    ["agent", `${escapeText(host)}, version ${version}, process ${pid}`],
    ["running", `for ${formatAge(uptimeMs)}, ${formatSize(rssBytes)} of memory`],
    ["state", escapeText(stateDir)],
    ...connectionFacts(status, paint, nowMs),
    ["streams", summarize(status)],
  ];
  const width = Math.max(...facts.map(([name]) => name.length)) + 2;
  const lines = facts.map(([name, text]) => paint("dim", name.padEnd(width)) + text);
  return [
    ...lines,
    ...(status.streams.length === 0 ? [] : ["", ...table(status.streams, paint)]),
    ...ruleLines(status, paint),
    ...troubleLines(status, paint, nowMs),
    "",
  ].join("\n");
}

function connectionFacts(
  { connection }: AgentStatus,
  paint: Paint,
  nowMs: number,
): (readonly [string, string])[] {
  const { state, collector, collectors, since, lastDisconnect: last } = connection;
  const shown = escapeText(collector ?? collectors[0] ?? "none");
  const facts: (readonly [string, string])[] = [];
  if (state === "connected") {
    const credit = `${formatSize(connection.creditLeftBytes)} of ${formatSize(connection.creditBytes)}`;
    const age = since === undefined ? "" : ` for ${formatAge(nowMs - Date.parse(since))}`;
    facts.push(["collector", `${shown}  ${paint("green", "connected")}${age}`]);
    facts.push(["credit", `${credit} left`]);
  } else {
    const { failedAttempts, retryInMs } = connection;
    const tries = failedAttempts === 0 ? "" : ` after ${failedAttempts} attempts`;
    const next = retryInMs === undefined ? "" : `, next in ${formatAge(retryInMs)}`;
    facts.push(["collector", `${shown}  ${paint("red", "not connected")}${tries}${next}`]);
  }
  if (last !== undefined) {
    const age = formatAge(nowMs - Date.parse(last.at));
    facts.push(["last break", `${age} ago: ${escapeText(last.reason)}`]);
    if (last.advice !== undefined && state !== "connected") {
      facts.push(["to do", paint("yellow", escapeText(last.advice))]);
    }
  }
  return facts;
}

function summarize({ streams, finished }: AgentStatus): string {
  const behind = streams.filter(({ lagBytes }) => lagBytes > 0);
  const lagBytes = behind.reduce((sum, stream) => sum + stream.lagBytes, 0);
  const done = finished.reduce((sum, account) => sum + account.streams, 0);
  const unaccounted = [...streams, ...finished].reduce(
    (sum, each) => sum + each.unaccountedBytes,
    0,
  );
  const parts = [
    `${streams.length} open`,
    `${done} finished`,
    behind.length === 0 ? "none behind" : `${behind.length} behind by ${formatSize(lagBytes)}`,
    ...(unaccounted === 0 ? [] : [`${unaccounted} bytes unaccounted for`]),
  ];
  return parts.join(", ");
}

function table(streams: readonly StreamStatus[], paint: Paint): string[] {
  const rows = streams.map((stream): Row => {
    const { source, generation, state, lagBytes, lagMs } = stream;
    const gapBytes = stream.gapBytes + stream.lostBytes;
    return [
      escapeText(generation === 1 ? source : `${source} #${generation}`),
      state === "reading" ? (lagBytes === 0 ? "caught up" : "behind") : state,
      formatSize(lagBytes),
      lagMs === 0 ? "-" : formatAge(lagMs),
      formatRate(stream.recordsPerSecond),
      formatSize(stream.bytesPerSecond),
      formatSize(stream.storedBytes),
      formatSize(stream.filteredBytes),
      formatSize(gapBytes),
    ];
  });
  const widths = TITLES.map((title, at) =>
    Math.max(title.length, ...rows.map((row) => columnsOf(row[at] ?? ""))),
  );
  // Two columns of words to the left, numbers to the right.
  const place = (text: string, at: number): string => {
    const pad = " ".repeat(Math.max(0, (widths[at] ?? 0) - columnsOf(text)));
    return at < 2 ? text + pad : pad + text;
  };
  const style = { "caught up": "green", behind: "yellow", waiting: "yellow", held: "red" } as const;
  const header = TITLES.map((title, at) => paint(["bold", "underline"], place(title, at)));
  return [
    header.join("  "),
    ...rows.map((row) =>
      row
        .map((text, at) => {
          const placed = place(text, at);
          return at === 1 ? paint(style[text as keyof typeof style], placed) : placed;
        })
        .join("  ")
        .trimEnd(),
    ),
  ];
}

/** As good as always: a wide character in a path shifts its row. */
function columnsOf(text: string): number {
  return Array.from(text).length;
}

/** Words for what rules do, those for what is amiss last. */
const RULE_WORDS = [
  ["excluded", "excluded"],
  ["sampled", "sampled out"],
  ["rateLimited", "over the rate limit"],
  ["redactions", "redacted"],
  ["unparsed", "not parsed"],
  ["droppedAttributes", "attributes dropped"],
  ["failed", "where a rule failed"],
] as const satisfies readonly (readonly [keyof AgentStatus["processing"][number], string])[];

/** What the rules of each source have done since the start. */
function ruleLines({ processing }: AgentStatus, paint: Paint): string[] {
  const lines = processing.flatMap((counts) => {
    const done = RULE_WORDS.filter(([rule]) => counts[rule] > 0);
    const words = done.map(([rule, word]) => `${counts[rule]} ${word}`);
    return words.length === 0
      ? []
      : [`${paint("dim", "rules")}  ${escapeText(counts.source)}: ${words.join(", ")}`];
  });
  return lines.length === 0 ? [] : ["", ...lines];
}

/** Of each source the last trouble, and the last of the agent as a whole. */
function troubleLines(status: AgentStatus, paint: Paint, nowMs: number): string[] {
  const bySource = new Map(
    status.streams.flatMap(({ source, lastError }) =>
      lastError === undefined ? [] : [[source, lastError] as const],
    ),
  );
  const rest = status.troubles.map(({ source, ...trouble }) => [source, trouble] as const);
  const lines = [...bySource, ...rest].map(([source, { at, message }]) => {
    const age = formatAge(nowMs - Date.parse(at));
    return `${paint("yellow", "!")} ${escapeText(source)}: ${escapeText(message)} (${age} ago)`;
  });
  return lines.length === 0 ? [] : ["", ...lines];
}

function formatRate(perSecond: number): string {
  return perSecond >= 100 || perSecond === 0 ? perSecond.toFixed(0) : perSecond.toFixed(1);
}

/** In its two largest units: a status is read, not computed with. */
function formatAge(ms: number): string {
  const whole =
    ms < 10_000 ? Math.max(0, Math.round(ms / 100) * 100) : Math.round(ms / 1_000) * 1_000;
  return formatDuration(whole).split(" ms")[0] === String(whole)
    ? `${whole} ms`
    : formatDuration(whole).split(" ").slice(0, 2).join(" ");
}
