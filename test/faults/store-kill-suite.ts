import { PRODUCT } from "../src/product.ts";
import { NAMED_STEPS } from "../src/store-kill/named-steps.ts";
import { runNamedSteps } from "../src/store-kill/step-run.ts";
import { runStoreKills } from "../src/store-kill/store-kill-run.ts";
import { tracingRefused } from "../src/system-trace.ts";

export interface StoreKillSuiteOptions {
  readonly kills: number;
  readonly seed: number;
}

/** Kills of a store at work, with a summary; returns whether it passed. */
export async function runStoreKillSuite({ kills, seed }: StoreKillSuiteOptions): Promise<boolean> {
  const report = await runStoreKills({ product: PRODUCT, kills, seed });
  const { problems } = report;
  const met = [...report.kills].map(([job, count]) => `${count} ${job}`).join(", ");
  const rows: ReadonlyArray<readonly [string, string]> = [
    ["seed", `${seed}`],
    ["kills", `${[...report.kills.values()].reduce((sum, count) => sum + count, 0)}`],
    ["  under way", met],
    ["  left an unfinished file", `${report.unfinished}`],
    ["  left whole files to remove", `${report.leftOver}`],
    ["backups examined", `${report.backups}`],
    ["batches acknowledged", `${report.acked}`],
    ["jobs that ended", `${report.jobs}`],
    ["duration", `${report.seconds.toFixed(1)} s`],
    ["verdict", problems.length === 0 ? "every record once, no orphan" : "FAILED"],
  ];
  for (const [name, value] of rows) console.log(`${name.padEnd(28)} ${value}`);
  for (const problem of problems.slice(0, 30)) console.log(`  ${problem}`);
  return (await runSteps(seed)) && problems.length === 0;
}

/** At each named step once, by strace. */
async function runSteps(seed: number): Promise<boolean> {
  const refused = tracingRefused();
  if (refused !== undefined) {
    console.log(`no named steps: ${refused}`);
    return false;
  }
  let isGood = true;
  await runNamedSteps({ product: PRODUCT, seed, steps: NAMED_STEPS }, ({ step, problems }) => {
    isGood &&= problems.length === 0;
    const verdict = problems.length === 0 ? "passed" : "FAILED";
    console.log(`${verdict}  ${step.job.padEnd(14)} ${step.name}`);
    for (const problem of problems.slice(0, 5)) console.log(`  ${problem}`);
  });
  return isGood;
}
