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
  const head = ["policy", "written", "generations", "destroyed", "in gaps", "verdict"];
  console.log(row(head));
  for (const { policy, written, generations, cuts, problems: found } of verdicts) {
    const destroyed = cuts === undefined ? "-" : `${cuts.missingLines} (${cuts.missingBytes} B)`;
    const gaps = cuts === undefined ? "-" : `${cuts.gapBytes} B`;
    const verdict = found.length > 0 ? "FAILED" : destroyedOnly(cuts?.missingLines ?? 0);
    console.log(row([policy.name, `${written}`, `${generations}`, destroyed, gaps, verdict]));
  }
  const all = [...problems, ...verdicts.flatMap(({ problems: found }) => found)];
  console.log(`seed ${options.seed}, ${options.rotations} rotations, ${seconds.toFixed(1)} s`);
  for (const problem of all.slice(0, 30)) console.log(`  ${problem}`);
  return all.length === 0;
}

function destroyedOnly(missingLines: number): string {
  return missingLines === 0 ? "every line once" : "every line once that logrotate left";
}

function row([first = "", ...cells]: readonly string[]): string {
  return [first.padEnd(24), ...cells.map((cell) => cell.padEnd(18))].join(" ").trimEnd();
}
