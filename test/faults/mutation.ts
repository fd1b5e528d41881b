import type { KillPlan } from "../src/kill/kill-plan.ts";
import { runKillTest } from "../src/kill/kill-run.ts";
import { PRODUCT } from "../src/product.ts";
import { MutantTree } from "./mutant-tree.ts";
import type { Mutant } from "./mutants.ts";

/** What the kill test says of a mutant. */
export interface Finding {
  readonly mutant: Mutant;
  /** Empty where it survived, which means that the kill test is blind to its fault. */
  readonly problems: readonly string[];
  readonly seconds: number;
}

/** Runs the kill test on a copy of the product that has the mutant's fault. */
export async function tryMutant(mutant: Mutant, plan: Omit<KillPlan, "product">): Promise<Finding> {
  const startMs = performance.now();
  await using tree = await MutantTree.grow(PRODUCT, mutant);
  const { problems } = await runKillTest({ ...plan, product: tree.product });
  return { mutant, problems, seconds: (performance.now() - startMs) / 1000 };
}
