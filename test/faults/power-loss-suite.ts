import { PRODUCT } from "../src/product.ts";
import { runPowerLoss } from "../src/power-loss/power-loss-run.ts";

export interface PowerLossSuiteOptions {
  readonly states: number;
  readonly seed: number;
}

/** States that a disk may be found in after the power has gone, with a summary; returns whether it passed. */
export async function runPowerLossSuite({ states, seed }: PowerLossSuiteOptions): Promise<boolean> {
  const report = await runPowerLoss({ product: PRODUCT, states, seed });
  const { problems } = report;
  const made = [...report.states].map(([loss, count]) => `${count} ${loss}`).join(", ");
  const rows: ReadonlyArray<readonly [string, string]> = [
    ["seed", `${seed}`],
    ["states", `${[...report.states.values()].reduce((sum, count) => sum + count, 0)}`],
    ["  what of the unsynced is kept", made],
    ["recorded", `${report.writes} writes, ${report.syncs} syncs`],
    ["acks before the cuts, in all", `${report.acked}`],
    ["duration", `${report.seconds.toFixed(1)} s`],
    ["verdict", problems.length === 0 ? "no acknowledged batch lost" : "FAILED"],
  ];
  for (const [name, value] of rows) console.log(`${name.padEnd(30)} ${value}`);
  for (const problem of problems.slice(0, 30)) console.log(`  ${problem}`);
  return problems.length === 0;
}
