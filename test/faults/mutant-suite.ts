import { SHORT_KILL_PLAN } from "../src/kill/kill-sizes.ts";
import { tryMutant } from "./mutation.ts";
import { type Mutant, MUTANTS } from "./mutants.ts";

export interface MutantSuiteOptions {
  readonly seed: number;
  /** Only mutants whose names hold this. */
  readonly only: string;
}

/** Copied and run like the mutants, and not changed: must pass, or their failures mean nothing. */
const CONTROL: Mutant = { name: "none (control)", fault: "", edits: [] };

/** More of the kills that an ack ahead of its commit must not survive. */
const PLAN = { ...SHORT_KILL_PLAN, collectorKills: 6, lines: 60_000 };

/** Tries every mutant and prints a table; returns whether each was caught and the control passed. */
export async function runMutantSuite({ seed, only }: MutantSuiteOptions): Promise<boolean> {
  const chosen = MUTANTS.filter(({ name }) => name.includes(only));
  let isGood = true;
  console.log(`${"mutant".padEnd(28)} ${"verdict".padEnd(10)} ${"s".padStart(6)}  first finding`);
  for (const mutant of [CONTROL, ...chosen]) {
    const { problems, seconds } = await tryMutant(mutant, { ...PLAN, seed });
    const isCaught = problems.length > 0;
    isGood &&= isCaught === (mutant !== CONTROL);
    const verdict = isCaught ? "caught" : mutant === CONTROL ? "passed" : "SURVIVED";
    const cells = [mutant.name.padEnd(28), verdict.padEnd(10), seconds.toFixed(1).padStart(6)];
    console.log(`${cells.join(" ")}  ${problems[0]?.split("\n")[0] ?? ""}`);
  }
  return isGood;
}
