import { storedProblems, withOneFile } from "../src/one-file.ts";

/** The promise: a dead connection is given up and replaced within a minute. */
const WITHIN_MS = 60_000;

/** Blackholes a live connection and waits for the next one; returns whether all went well. */
export async function runHalfOpenSuite(): Promise<boolean> {
  let problems: readonly string[] = ["it did not run"];
  let silentMs = Number.POSITIVE_INFINITY;
  await withOneFile(async (parts) => {
    const { proxy, writer, site } = parts;
    await writer.write(500, 200);
    await site.untilStored(500);
    const startMs = performance.now();
    for (const link of proxy.links) link.blackhole();
    const reopened = proxy.seen("opened");
    await writer.write(2_000, 2_000);
    await reopened;
    silentMs = performance.now() - startMs;
    problems = await storedProblems(parts);
  });
  const isInTime = silentMs <= WITHIN_MS;
  console.log(`reconnected after ${(silentMs / 1000).toFixed(1)} s (promised: within 60 s)`);
  console.log(problems.length === 0 ? "every line once and in order" : problems.join("\n"));
  return isInTime && problems.length === 0;
}
