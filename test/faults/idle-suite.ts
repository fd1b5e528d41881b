import { setTimeout as delay } from "node:timers/promises";

import { storedProblems, withOneFile } from "../src/one-file.ts";

/** Lines after an idle time of minutes; returns whether they arrived, over the connection that there was. */
export async function runIdleSuite({ minutes }: { readonly minutes: number }): Promise<boolean> {
  let problems: readonly string[] = ["it did not run"];
  let arrivedMs = Number.POSITIVE_INFINITY;
  let connections = 0;
  await withOneFile(async (parts) => {
    const { proxy, writer, site } = parts;
    await writer.write(500, 200);
    await site.untilStored(500);
    await delay(minutes * 60_000);
    const startMs = performance.now();
    await writer.write(500, 0);
    await site.untilStored(1_000);
    arrivedMs = performance.now() - startMs;
    connections = proxy.traffic.connections;
    problems = await storedProblems(parts);
  });
  console.log(`after ${minutes} idle minutes 500 lines took ${arrivedMs.toFixed(0)} ms`);
  console.log(`connections ${connections} (promised: the one that there was)`);
  console.log(problems.length === 0 ? "every line once and in order" : problems.join("\n"));
  return connections === 1 && problems.length === 0;
}
