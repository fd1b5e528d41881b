import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";

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
import type { UnitMutant } from "./unit-mutants.ts";

/** What a test says of a mutant. */
export interface Finding {
  readonly mutant: Mutant;
  /** Empty where it survived, which means that the test is blind to its fault. */
  readonly problems: readonly string[];
  readonly seconds: number;
}

/** A test that a mutant has made wait for ever. */
const UNIT_TEST_MS = 10_000;

/** As much as is asked of vitest's JSON report. */
interface VitestReport {
  readonly testResults: ReadonlyArray<{
    readonly assertionResults: ReadonlyArray<{
      readonly fullName: string;
      readonly status: string;
      readonly failureMessages: readonly string[];
    }>;
  }>;
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

/** Runs the unit tests that must find a mutant out, on sources that have its fault. */
export function tryUnitMutant(mutant: UnitMutant): Promise<Finding> {
  const { folder, files, tests } = mutant.foundBy;
  const args = ["run", ...files, "-t", tests, "--reporter", "json", "--outputFile", "report.json"];
  return onCopy(
    mutant,
    async ({ root }) => {
      const cwd = join(root, folder);
      const vitest = join(root, "node_modules/.bin/vitest");
      const run = spawnSync(vitest, [...args, "--testTimeout", `${UNIT_TEST_MS}`], {
        cwd,
        encoding: "utf8",
        timeout: 10 * UNIT_TEST_MS,
        killSignal: "SIGKILL",
      });
      if (run.signal !== null) return [`the tests did not end: ${run.signal}`];
      if (run.error !== undefined) throw run.error;
      const report = readFileSync(join(cwd, "report.json"), "utf8");
      const { testResults } = JSON.parse(report) as VitestReport;
      const results = testResults.flatMap(({ assertionResults }) => assertionResults);
      const tried = results.filter(({ status }) => status === "passed" || status === "failed");
      if (tried.length === 0)
        throw new Error(`mutant "${mutant.name}": no such test\n${run.stderr}`);
      return tried.flatMap(({ fullName, failureMessages }) =>
        failureMessages.map((message) => `${fullName}: ${message}`),
      );
    },
    () => MutantTree.sow(PRODUCT, mutant),
  );
}

async function onCopy(
  mutant: Mutant,
  test: (product: Product) => Promise<readonly string[]>,
  makeTree: () => Promise<MutantTree> = () => MutantTree.grow(PRODUCT, mutant),
): Promise<Finding> {
  const startMs = performance.now();
  await using tree = await makeTree();
  const problems = await test(tree.product);
  return { mutant, problems, seconds: (performance.now() - startMs) / 1000 };
}
