import type { Prng } from "../corpus/prng.ts";
import type { Product } from "../product.ts";
import type { Moment } from "./kill-moment.ts";

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

type Victim = "agent" | "collector";

/** What happens while a portion of the lines is written. */
export type Episode =
  | { readonly kind: "kill"; readonly victim: Victim; readonly moment: Moment }
  | { readonly kind: "damage" };

const MOMENTS: Readonly<Record<Victim, readonly Moment[]>> = {
  agent: ["ack-passed", "message", "ack-lost", "any"],
  // An ack that runs ahead of its commit is ahead by a millisecond: this one takes several tries.
  collector: ["ack-passed", "ack-lost", "ack-passed", "message", "ack-passed", "any"],
};

/** An order of kills and damages for the seed; each victim meets its moments in turn. */
export function episodesOf(plan: KillPlan, random: Prng): Episode[] {
  const episodes: Episode[] = [
    ...killsOf("agent", plan.agentKills),
    ...killsOf("collector", plan.collectorKills),
    ...Array.from({ length: plan.damages }, (): Episode => ({ kind: "damage" })),
  ];
  for (let last = episodes.length - 1; last > 0; last--) {
    const other = random.below(last + 1);
    [episodes[last], episodes[other]] = [episodes[other], episodes[last]] as [Episode, Episode];
  }
  return episodes;
}

function killsOf(victim: Victim, count: number): Episode[] {
  const moments = MOMENTS[victim];
  return Array.from({ length: count }, (_, index) => ({
    kind: "kill",
    victim,
    moment: moments[index % moments.length] ?? "any",
  }));
}

/** Whether an episode's lines are written at once, so that large messages travel. */
export function isBurst(episode: Episode): boolean {
  return episode.kind === "damage" || episode.moment === "ack-passed";
}

/** A damage needs several whole batches in flight, a large message half of one. */
function weightOf(episode: Episode): number {
  if (episode.kind === "damage") return 8;
  return isBurst(episode) ? 2 : 1;
}

/** How many lines each file gets in each episode; together they are all of them. */
export function portionsOf(plan: KillPlan, episodes: readonly Episode[]): number[] {
  const weights = episodes.map(weightOf);
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
