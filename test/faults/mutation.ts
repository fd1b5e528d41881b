import type { KillPlan } from "../src/kill/kill-plan.ts";
import { runKillTest } from "../src/kill/kill-run.ts";
import { findInitialCursorProblems } from "../src/initial-cursor.ts";
import { runPowerLoss } from "../src/power-loss/power-loss-run.ts";
import { PRODUCT, type Product } from "../src/product.ts";
import { runRotationMatrix } from "../src/rotation/matrix-run.ts";
import { NAMED_STEPS } from "../src/store-kill/named-steps.ts";
import { runNamedSteps } from "../src/store-kill/step-run.ts";
import { MutantTree } from "./mutant-tree.ts";
import type { FileMutant } from "./file-mutants.ts";
import type { Mutant } from "./mutants.ts";
import type { StoreMutant } from "./store-mutants.ts";

/** What a test says of a mutant. */
export interface Finding {
  readonly mutant: Mutant;
  /** Empty where it survived, which means that the test is blind to its fault. */
  readonly problems: readonly string[];
  readonly seconds: number;
}

/** States in which a fault of the store's syncs must show. */
const STATES = 60;

/** Runs the kill test on a copy of the product that has the mutant's fault. */
export function tryMutant(mutant: Mutant, plan: Omit<KillPlan, "product">): Promise<Finding> {
  return onCopy(mutant, async (product) => (await runKillTest({ ...plan, product })).problems);
}

/** Runs the test that must find a mutant of the store out on a copy that has its fault. */
export function tryStoreMutant(mutant: StoreMutant, seed: number): Promise<Finding> {
  const { foundBy } = mutant;
  return onCopy(mutant, async (product) => {
    if (foundBy === "power-loss") {
      return (await runPowerLoss({ product, seed, states: STATES, isShort: true })).problems;
    }
    const steps = NAMED_STEPS.filter(({ name }) => name === foundBy.step);
    const found: string[] = [];
    await runNamedSteps({ product, seed, steps }, ({ problems }) => found.push(...problems));
    return found;
  });
}

/** Runs the test that must find a mutant of the reading of files out on a copy that has its fault. */
export function tryFileMutant(mutant: FileMutant, seed: number): Promise<Finding> {
  const { foundBy } = mutant;
  return onCopy(mutant, async (product) => {
    if (foundBy === "initial-cursor") return findInitialCursorProblems(product);
    const { verdicts, problems } = await runRotationMatrix({ product, plan: foundBy, seed });
    return [...verdicts.flatMap(({ account }) => account.problems), ...problems];
  });
}

async function onCopy(
  mutant: Mutant,
  test: (product: Product) => Promise<readonly string[]>,
): Promise<Finding> {
  const startMs = performance.now();
  await using tree = await MutantTree.grow(PRODUCT, mutant);
  const problems = await test(tree.product);
  return { mutant, problems, seconds: (performance.now() - startMs) / 1000 };
}
