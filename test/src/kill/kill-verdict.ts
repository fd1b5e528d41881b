import { createHash } from "node:crypto";

import type { Damage } from "../chaos/damage.ts";
import type { Traffic } from "../chaos/chaos-proxy.ts";
import type { LogWriter } from "../log-writer.ts";
import { LOG_LEVEL_ERROR } from "../process.ts";
import { rawQuery } from "../raw-query.ts";
import type { Site } from "../site.ts";
import { StoredData } from "../stored.ts";
import { accountForLines } from "./line-account.ts";

export interface KillEvidence {
  readonly site: Site;
  readonly writers: readonly LogWriter[];
  readonly damages: readonly Damage[];
  readonly traffic: Traffic;
}

/** What contradicts the guarantee; the collector is stopped. */
export async function findProblems(evidence: KillEvidence): Promise<string[]> {
  const { site, writers, damages, traffic } = evidence;
  using data = StoredData.open(site.dataDir);
  return [
    ...writers.flatMap((writer) => lineProblems(data, writer)),
    ...data
      .gaps()
      .map(({ source, cause, detail }) => `a gap was recorded in ${source}: ${cause} ${detail}`),
    ...resetProblems(traffic, damages),
    ...epochProblems(data, traffic, damages),
    ...logProblems(site),
    ...(await queryProblems(evidence)),
  ];
}

function lineProblems(data: StoredData, { path, lines, written }: LogWriter): string[] {
  try {
    return accountForLines(path, data.batches(path), lines, written);
  } catch (error) {
    return [(error as Error).message];
  }
}

/** The product's own account, in stream order: by source, generation and sequence number. */
async function queryProblems({ site, writers }: KillEvidence): Promise<string[]> {
  const expected = createHash("sha256");
  for (const { lines, written } of writers.toSorted((a, b) => (a.path < b.path ? -1 : 1))) {
    for (let number = 0; number < written; number++) expected.update(lines.line(number), "latin1");
  }
  const found = createHash("sha256");
  try {
    for await (const chunk of rawQuery(site.product, site.dataDir)) found.update(chunk);
  } catch (error) {
    return [(error as Error).message];
  }
  return expected.digest("hex") === found.digest("hex")
    ? []
    : ["a query for everything, in stream order, does not give what was written"];
}

/**
 * One reset per failure. A damaged message cannot say which stream it was for, so the collector
 * resets each stream of its connection, once; what was sent behind it is of an older epoch and
 * must be dropped without a reply. Nothing else in this test may cause a reset: kills and cuts end
 * the connection, and a stream that is opened again begins a new epoch without one.
 */
function resetProblems(traffic: Traffic, damages: readonly Damage[]): string[] {
  const { corrupt, others } = countResets(traffic);
  const allowed = openStreams(damages);
  return [
    ...(corrupt > allowed
      ? [`${corrupt} resets after ${damages.length} damages to ${allowed} open streams`]
      : []),
    ...others.map(([reason, count]) => `${count} resets because of ${reason}`),
  ];
}

/**
 * The same out of the database, where resets count that never reached the agent: a stream's epoch
 * is 1 when it is created and rises by 1 with each opening after that and with each reset.
 */
function epochProblems(data: StoredData, traffic: Traffic, damages: readonly Damage[]): string[] {
  const epochs = data.streams().reduce((sum, { epoch }) => sum + epoch, 0);
  const allowed = traffic.openings + openStreams(damages);
  return epochs > allowed
    ? [`${epochs} epochs began, after ${traffic.openings} openings at most ${allowed} could`]
    : [];
}

/**
 * No error may be logged. Above all the agent never finds the collector behind what it has
 * acknowledged: acks follow the fsync, so no kill can cause that.
 */
function logProblems(site: Site): string[] {
  const counts = new Map<string, number>();
  for (const { name, log } of site.services) {
    for (const { level, msg, text } of log) {
      if (level < LOG_LEVEL_ERROR) continue;
      const key = `the ${name} logged: ${msg === "" ? text : msg}`;
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
  }
  return [...counts].map(([what, count]) => `${what} (${count} times)`);
}

function countResets({ resets }: Traffic): {
  readonly corrupt: number;
  readonly others: ReadonlyArray<readonly [string, number]>;
} {
  const others = [...resets].filter(([reason]) => reason !== "corrupt");
  return { corrupt: resets.get("corrupt") ?? 0, others };
}

function openStreams(damages: readonly Damage[]): number {
  return damages.reduce((sum, damage) => sum + damage.openStreams, 0);
}
