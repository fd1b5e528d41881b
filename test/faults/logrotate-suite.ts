import type { CutAccount } from "../src/logrotate/cut-account.ts";
import {
  type LogrotateOptions,
  logrotateRefused,
  runLogrotate,
} from "../src/logrotate/logrotate-run.ts";

/** logrotate by each policy under load, a line per policy; returns whether all is accounted for. */
export async function runLogrotateSuite(options: LogrotateOptions): Promise<boolean> {
  const refused = logrotateRefused();
  if (refused !== undefined) {
    console.log(refused);
    return false;
  }
  const { verdicts, seconds, problems } = await runLogrotate(options);
  console.log(
    row(["policy", "lines", "files", "destroyed", "stored", "gaps", "unseen", "verdict"]),
  );
  for (const { policy, written, generations, cuts, problems: found } of verdicts) {
    const amounts = cuts === undefined ? ["-", "-", "-", "-"] : amountsOf(cuts);
    const verdict = found.length > 0 ? "FAILED" : verdictOf(cuts);
    console.log(row([policy.name, `${written}`, `${generations}`, ...amounts, verdict]));
  }
  console.log(`
destroyed  what logrotate cut away, told from its own files: bytes that stand in none of them
stored     of that, what the agent had read before the cut
gaps       of that, what the agent had seen and not read, and says is lost
unseen     the rest: written and cut away between two looks of the agent, so that nobody knows of it
`);
  const all = [...problems, ...verdicts.flatMap(({ problems: found }) => found)];
  console.log(`seed ${options.seed}, ${options.rotations} rotations, ${seconds.toFixed(1)} s`);
  for (const problem of all.slice(0, 30)) console.log(`  ${problem}`);
  return all.length === 0;
}

function amountsOf({ destroyedBytes, savedBytes, missingBytes, gapBytes }: CutAccount): string[] {
  return [destroyedBytes, savedBytes, gapBytes, missingBytes - gapBytes].map((n) => `${n} B`);
}

function verdictOf(cuts: CutAccount | undefined): string {
  if (cuts === undefined || cuts.missingBytes === 0) return "every line once";
  const { missingLines, cuts: count } = cuts;
  return `every line once but ${missingLines} that ${count} cuts destroyed`;
}

function row([first = "", ...cells]: readonly string[]): string {
  return [first.padEnd(22), ...cells.map((cell) => cell.padEnd(10))].join(" ").trimEnd();
}
