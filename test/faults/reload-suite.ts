import { runReloads } from "../src/reload/reload-run.ts";

export interface ReloadSuiteOptions {
  readonly reloads: number;
  readonly seed: number;
}

/** Reloads an agent under load; returns whether every line was stored once and in order. */
export async function runReloadSuite({ reloads, seed }: ReloadSuiteOptions): Promise<boolean> {
  const { problems, lines, epochs } = await runReloads({ reloads, linesPerReload: 2_000, seed });
  console.log(`${reloads} reloads, ${lines} lines, ${epochs} openings of streams`);
  console.log(problems.length === 0 ? "every line once and in order" : problems.join("\n"));
  return problems.length === 0;
}
