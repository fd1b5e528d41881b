import { createPaint, escapeText } from "@sluice/service";

type Outcome = "ok" | "warn" | "fail";

/** One thing that was looked at. */
export interface Check {
  readonly name: string;
  readonly outcome: Outcome;
  readonly summary: string;
  /** What to do; undefined where nothing is to be done. */
  readonly advice: string | undefined;
}

/** `sluice-agent doctor --json`. */
export interface DoctorReport {
  readonly host: string;
  readonly configFile: string;
  /** Whom the agent runs as, as far as that can be told: the checks were made as that user. */
  readonly user: string;
  readonly checks: readonly Check[];
  readonly verdict: Outcome;
  /** The one next thing to do; null where nothing is to be done. */
  readonly next: string | null;
}

export function ok(name: string, summary: string): Check {
  return { name, outcome: "ok", summary, advice: undefined };
}

export function warn(name: string, summary: string, advice: string): Check {
  return { name, outcome: "warn", summary, advice };
}

export function fail(name: string, summary: string, advice: string): Check {
  return { name, outcome: "fail", summary, advice };
}

/** The worst outcome is the verdict, and the first check that has it says what to do next. */
export function conclude(checks: readonly Check[]): Pick<DoctorReport, "verdict" | "next"> {
  const worst =
    checks.find(({ outcome }) => outcome === "fail") ??
    checks.find(({ outcome }) => outcome === "warn");
  return { verdict: worst?.outcome ?? "ok", next: worst?.advice ?? null };
}

const MARKS = { ok: "ok  ", warn: "warn", fail: "FAIL" } as const;
const COLORS = { ok: "green", warn: "yellow", fail: "red" } as const;
const VERDICTS = {
  ok: "Yes: this host's logs can be shipped.",
  warn: "Yes, but not all is as it should be.",
  fail: "No: something is in the way.",
} as const;

export function formatDoctor(report: DoctorReport, hasColor: boolean): string {
  const paint = createPaint(hasColor);
  const { checks, verdict, next, user, configFile } = report;
  const width = Math.max(...checks.map(({ name }) => escapeText(name).length));
  const lines = checks.flatMap(({ name, outcome, summary, advice }) => [
    `${paint(COLORS[outcome], MARKS[outcome])}  ${escapeText(name).padEnd(width)}  ${escapeText(summary)}`,
    ...(advice === undefined ? [] : [`${" ".repeat(width + 8)}-> ${escapeText(advice)}`]),
  ]);
  return [
    paint("dim", `${escapeText(configFile)}, looked at as ${user}`),
    ...lines,
    "",
    paint(["bold", COLORS[verdict]], VERDICTS[verdict]),
    ...(next === null ? [] : [`Next: ${escapeText(next)}`]),
    "",
  ].join("\n");
}
