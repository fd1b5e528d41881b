import { SHORT_KILL_PLAN } from "../src/kill/kill-sizes.ts";
import { FULL_MATRIX } from "../src/rotation/matrix-cell.ts";
import { FILE_MUTANTS, type FileMutant } from "./file-mutants.ts";
import { UNIT_MUTANTS, type UnitMutant } from "./unit-mutants.ts";
import {
  type Finding,
  tryFileMutant,
  tryMutant,
  tryStoreMutant,
  tryUnitMutant,
} from "./mutation.ts";
import { type Mutant, MUTANTS } from "./mutants.ts";
import { STORE_MUTANTS, type StoreMutant } from "./store-mutants.ts";

export interface MutantSuiteOptions {
  readonly seed: number;
  /** Only mutants whose names hold this. */
  readonly only: string;
}

/** Copied and run like the mutants, and not changed: must pass, or their failures mean nothing. */
const CONTROL: Mutant = { name: "none (control)", fault: "", edits: [] };
const STORE_CONTROLS: readonly StoreMutant[] = [
  { ...CONTROL, name: "none (control, power loss)", foundBy: "power-loss" },
  { ...CONTROL, name: "none (control, steps)", foundBy: { step: "the swap is synced" } },
];
/** All that the mutants of files are found by, in one run each. */
const FILE_CONTROLS: readonly FileMutant[] = [
  {
    ...CONTROL,
    name: "none (control, rotation)",
    foundBy: {
      ...FULL_MATRIX,
      operations: ["rename", "copytruncate", "truncate and regrow"],
      shapes: ["small", "identical headers"],
    },
  },
  { ...CONTROL, name: "none (control, initial cursor)", foundBy: "initial-cursor" },
];

/** All the tests that the mutants of a package are found by. */
const UNIT_CONTROLS: readonly UnitMutant[] = (["packages/tail", "apps/agent"] as const).map(
  (folder) => {
    const tests = UNIT_MUTANTS.map(({ foundBy }) => foundBy).filter(
      (each) => each.folder === folder,
    );
    return {
      ...CONTROL,
      name: `none (control, tests of ${folder})`,
      foundBy: {
        folder,
        files: [...new Set(tests.flatMap(({ files }) => files))],
        tests: tests.map((each) => each.tests).join("|"),
      },
    };
  },
);

/** More of the kills that an ack ahead of its commit must not survive. */
const PLAN = { ...SHORT_KILL_PLAN, collectorKills: 6, lines: 60_000 };

/** Tries every mutant and prints a table; returns whether each was caught and the control passed. */
export async function runMutantSuite({ seed, only }: MutantSuiteOptions): Promise<boolean> {
  const isChosen = ({ name }: Mutant): boolean => name.includes(only);
  console.log(`${"mutant".padEnd(32)} ${"verdict".padEnd(10)} ${"s".padStart(6)}  first finding`);
  const verdicts: boolean[] = [];
  for (const mutant of [CONTROL, ...MUTANTS].filter(isChosen)) {
    verdicts.push(tell(await tryMutant(mutant, { ...PLAN, seed })));
  }
  for (const mutant of [...STORE_CONTROLS, ...STORE_MUTANTS].filter(isChosen)) {
    verdicts.push(tell(await tryStoreMutant(mutant, seed)));
  }
  for (const mutant of [...FILE_CONTROLS, ...FILE_MUTANTS].filter(isChosen)) {
    verdicts.push(tell(await tryFileMutant(mutant, seed)));
  }
  for (const mutant of [...UNIT_CONTROLS, ...UNIT_MUTANTS].filter(isChosen)) {
    verdicts.push(tell(await tryUnitMutant(mutant)));
  }
  return verdicts.every(Boolean);
}

/** Whether it is as it should be: only what has no edits may pass. */
function tell({ mutant, problems, seconds }: Finding): boolean {
  const isControl = mutant.edits.length === 0;
  const isCaught = problems.length > 0;
  const verdict = isCaught ? "caught" : isControl ? "passed" : "SURVIVED";
  const cells = [mutant.name.padEnd(32), verdict.padEnd(10), seconds.toFixed(1).padStart(6)];
  console.log(`${cells.join(" ")}  ${problems[0]?.split("\n")[0] ?? ""}`);
  return isCaught !== isControl;
}
