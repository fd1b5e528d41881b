import { PRODUCT } from "../src/product.ts";
import type { Account } from "../src/rotation/byte-account.ts";
import { CONDITIONS, FULL_MATRIX, SHAPES } from "../src/rotation/matrix-cell.ts";
import { runRotationMatrix } from "../src/rotation/matrix-run.ts";

export interface RotationSuiteOptions {
  readonly seed: number;
}

/** The rotation matrix, a verdict per cell; returns whether all are as they should be. */
export async function runRotationSuite({ seed }: RotationSuiteOptions): Promise<boolean> {
  const report = await runRotationMatrix({ product: PRODUCT, plan: FULL_MATRIX, seed });
  const { verdicts, problems } = report;
  console.log(
    ["", ...CONDITIONS]
      .map((name) => name.padEnd(36))
      .join(" ")
      .trimEnd(),
  );
  for (const operation of FULL_MATRIX.operations) {
    for (const shape of SHAPES) {
      const row = verdicts.filter(
        ({ cell }) => cell.operation === operation && cell.shape === shape,
      );
      const cells = [`${operation}, ${shape}`, ...row.map(({ account }) => verdictOf(account))];
      console.log(
        cells
          .map((cell) => cell.padEnd(36))
          .join(" ")
          .trimEnd(),
      );
    }
  }
  const failed = verdicts.filter(({ account }) => account.problems.length > 0);
  const written = verdicts.reduce((sum, { account }) => sum + account.writtenBytes, 0);
  const isGood = failed.length === 0 && problems.length === 0;
  const rows: ReadonlyArray<readonly [string, string]> = [
    ["seed", `${seed}`],
    ["cells", `${verdicts.length}, of which ${failed.length} failed`],
    ["kills of the agent", `${report.kills}`],
    ["written", `${(written / 1e6).toFixed(1)} MB`],
    ["duration", `${report.seconds.toFixed(1)} s`],
    ["verdict", isGood ? "exactly once, or an exact gap" : "FAILED"],
  ];
  for (const [name, value] of rows) console.log(`${name.padEnd(24)} ${value}`);
  for (const { cell, account } of failed) {
    console.log(`  ${cell.operation}, ${cell.condition}, ${cell.shape}: ${account.problems[0]}`);
  }
  for (const problem of problems.slice(0, 30)) console.log(`  ${problem}`);
  return isGood;
}

function verdictOf({ problems, gapBytes, unknownBytes, unknownGaps }: Account): string {
  if (problems.length > 0) return "FAILED";
  const gaps = [
    ...(gapBytes > 0 ? [`${gapBytes} bytes in gaps`] : []),
    ...(unknownGaps > 0 ? [`${unknownBytes} in ${unknownGaps} unknown`] : []),
  ];
  return gaps.length === 0 ? "once" : `once, but ${gaps.join(", ")}`;
}
