import { Prng } from "../src/corpus/prng.ts";
import { PRODUCT } from "../src/product.ts";
import { CONDITIONS, type MatrixPlan, SHAPES } from "../src/rotation/matrix-cell.ts";
import { runRotationMatrix } from "../src/rotation/matrix-run.ts";
import { OPERATIONS } from "../src/rotation/rotation-operation.ts";

export interface SoakSuiteOptions {
  readonly minutes: number;
  readonly seed: number;
}

/** A part of the rotation matrix after the other, each with a seed of its own; returns whether all passed. */
export async function runSoakSuite({ minutes, seed }: SoakSuiteOptions): Promise<boolean> {
  const endMs = performance.now() + minutes * 60_000;
  const seeds = new Prng(seed);
  const totals = { runs: 0, cells: 0, kills: 0, writtenBytes: 0, failed: 0 };
  while (performance.now() < endMs) {
    const own = seeds.uint32();
    const plan = planOf(new Prng(own));
    const { verdicts, kills, seconds, problems } = await runRotationMatrix({
      product: PRODUCT,
      plan,
      seed: own,
    });
    const found = [
      ...verdicts.flatMap(({ cell, account }) =>
        account.problems.map(
          (problem) => `${cell.operation}, ${cell.condition}, ${cell.shape}: ${problem}`,
        ),
      ),
      ...problems,
    ];
    totals.runs += 1;
    totals.cells += verdicts.length;
    totals.kills += kills;
    totals.writtenBytes += verdicts.reduce((sum, { account }) => sum + account.writtenBytes, 0);
    totals.failed += found.length > 0 ? 1 : 0;
    const verdict = found.length === 0 ? "passed" : "FAILED";
    console.log(`${verdict}  seed ${own}, ${verdicts.length} cells, ${seconds.toFixed(1)} s`);
    for (const problem of found.slice(0, 5)) console.log(`  ${problem}`);
  }
  const { runs, cells, kills, writtenBytes, failed } = totals;
  console.log(
    `${runs} runs, ${cells} cells, ${kills} kills, ${(writtenBytes / 1e6).toFixed(1)} MB, ${failed} failed`,
  );
  return failed === 0 && runs > 0;
}

function planOf(random: Prng): MatrixPlan {
  return {
    operations: some(OPERATIONS, random),
    conditions: some(CONDITIONS, random),
    shapes: some(SHAPES, random),
  };
}

/** At least one of them, by chance, in their order. */
function some<T>(all: readonly T[], random: Prng): readonly T[] {
  const chosen = all.filter(() => random.below(2) === 0);
  return chosen.length > 0 ? chosen : [all[random.below(all.length)] as T];
}
