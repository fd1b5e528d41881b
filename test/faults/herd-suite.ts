import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { Prng } from "../src/corpus/prng.ts";
import { settled } from "../src/bench/fleet.ts";
import { Fleet, peakOverMean } from "../src/fleet/fleet.ts";
import { Site } from "../src/site.ts";
import { StoredData } from "../src/stored.ts";

const AGENTS = 500;
const MOST_PEAK_OVER_MEAN = 3;
const AWAY_AT_MOST_MS = 5_000;

export interface HerdSuiteOptions {
  readonly restarts: number;
  readonly seed: number;
}

/**
 * A fleet whose collector is restarted again and again, by SIGTERM and SIGKILL in turn: attempts to
 * connect, from when it listens again until all are back, come spread out, and no line is lost.
 */
export async function runHerdSuite({ restarts, seed }: HerdSuiteOptions): Promise<boolean> {
  await using site = new Site();
  let { collector, port } = await site.startCollector();
  const token = (await readFile(join(site.dataDir, "tokens/ingest.token"), "utf8")).trim();
  await using fleet = new Fleet(AGENTS, { url: `http://127.0.0.1:${port}`, token });
  await settled(fleet);
  const random = new Prng(seed);
  const ratios: number[] = [];
  for (let restart = 0; restart < restarts; restart++) {
    await (restart % 2 === 0 ? collector.stop() : collector.kill());
    const awayMs = random.below(AWAY_AT_MOST_MS);
    await delay(awayMs);
    ({ collector, port } = await site.startCollector({ port }));
    const backMs = Date.now();
    const { attempts } = await settled(fleet);
    const late = attempts.filter((atMs) => atMs >= backMs);
    ratios.push(peakOverMean(late));
    const lastMs = Math.max(backMs, ...late) - backMs;
    console.log(
      `restart ${restart + 1}: away ${awayMs} ms, ${late.length} attempts in ${lastMs.toFixed(0)} ms, peak/mean ${ratios.at(-1)?.toFixed(2)}`,
    );
  }
  fleet.stopWriting();
  let mark = await settled(fleet);
  for (; mark.unacked > 0; mark = await settled(fleet)) await delay(100);
  using data = StoredData.open(site.dataDir);
  const worst = Math.max(...ratios);
  console.log(`worst peak/mean ${worst.toFixed(2)} (at most ${MOST_PEAK_OVER_MEAN})`);
  console.log(`lines written ${mark.written}, stored ${data.records()}`);
  return worst <= MOST_PEAK_OVER_MEAN && data.records() === mark.written;
}
