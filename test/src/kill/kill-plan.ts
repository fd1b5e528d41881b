import type { Prng } from "../corpus/prng.ts";
import type { Product } from "../product.ts";

export interface KillPlan {
  readonly product: Product;
  readonly seed: number;
  readonly agentKills: number;
  readonly collectorKills: number;
  /** Messages that are damaged on their way, with others behind them. */
  readonly damages: number;
  /** Over all files. */
  readonly lines: number;
  readonly files: number;
  /** Lines of one file. */
  readonly rotateEvery: number;
  readonly meanLineBytes: number;
}

/** What happens while a portion of the lines is written. */
export type Episode =
  | { readonly kind: "kill"; readonly victim: "agent" | "collector"; readonly moment: Moment }
  | { readonly kind: "damage" };

/**
 * When a process is killed:
 * - `ack-passed`: an ack has just been passed on. What it promises must be on the disk.
 * - `ack-lost`: an ack was taken out of the line. What it covers must not be stored again.
 * - `message`: a message of frames is arriving.
 * - `any`: after a random time.
 */
export type Moment = "ack-passed" | "ack-lost" | "message" | "any";

const MOMENTS: readonly Moment[] = ["ack-passed", "message", "ack-lost", "any"];

/** Enough lines for several whole batches in flight, against a few for an ordinary kill. */
const DAMAGE_WEIGHT = 6;

/** An order of kills and damages for the seed; each victim meets the moments in turn. */
export function episodesOf(plan: KillPlan, random: Prng): Episode[] {
  const kills = (victim: "agent" | "collector", count: number): Episode[] =>
    Array.from({ length: count }, (_, index) => ({
      kind: "kill",
      victim,
      moment: MOMENTS[index % MOMENTS.length] ?? "any",
    }));
  const episodes: Episode[] = [
    ...kills("agent", plan.agentKills),
    ...kills("collector", plan.collectorKills),
    ...Array.from({ length: plan.damages }, (): Episode => ({ kind: "damage" })),
  ];
  for (let last = episodes.length - 1; last > 0; last--) {
    const other = random.below(last + 1);
    [episodes[last], episodes[other]] = [episodes[other], episodes[last]] as [Episode, Episode];
  }
  return episodes;
}

/** How many lines each file gets in each episode; together they are all of them. */
export function portionsOf(plan: KillPlan, episodes: readonly Episode[]): number[] {
  const weights = episodes.map(({ kind }) => (kind === "damage" ? DAMAGE_WEIGHT : 1));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const perFile = Math.floor(plan.lines / plan.files);
  let weightSoFar = 0;
  let linesSoFar = 0;
  return weights.map((weight) => {
    weightSoFar += weight;
    const lines = Math.floor((perFile * weightSoFar) / total) - linesSoFar;
    linesSoFar += lines;
    return lines;
  });
}
