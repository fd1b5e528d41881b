import { runKillTest } from "../src/kill/kill-run.ts";
import { FULL_KILL_PLAN } from "../src/kill/kill-sizes.ts";

export interface KillSuiteOptions {
  /** Of each side. */
  readonly kills: number;
  readonly lines: number;
  readonly rotateEvery: number;
  readonly damages: number;
  readonly seed: number;
}

/** The kill test at its full size, with a summary; returns whether it passed. */
export async function runKillSuite({ kills, ...sizes }: KillSuiteOptions): Promise<boolean> {
  const report = await runKillTest({
    ...FULL_KILL_PLAN,
    ...sizes,
    agentKills: kills,
    collectorKills: kills,
  });
  const { damages, resets, problems } = report;
  const behind = damages.reduce((sum, damage) => sum + damage.behind, 0);
  const rows: ReadonlyArray<readonly [string, string]> = [
    ["seed", `${sizes.seed}`],
    ["kills of the agent", `${report.agentKills}`],
    ["kills of the collector", `${report.collectorKills}`],
    ["rotations", `${report.rotations}`],
    ["damaged messages", `${damages.length}, with ${behind} messages right behind them`],
    ["resets", [...resets].map(([reason, count]) => `${count} ${reason}`).join(", ") || "0"],
    ["connections", `${report.connections}`],
    ["acks", `${report.acks}`],
    ["lines", `${report.lines}`],
    ["duration", `${report.seconds.toFixed(1)} s`],
    ["verdict", problems.length === 0 ? "every line once and in order" : "FAILED"],
  ];
  for (const [name, value] of rows) console.log(`${name.padEnd(24)} ${value}`);
  for (const problem of problems) console.log(`  ${problem}`);
  return problems.length === 0;
}
