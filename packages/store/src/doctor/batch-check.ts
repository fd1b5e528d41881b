import type { BatchEntry, BatchReader } from "../head/batch-run.ts";
import { runFacts } from "../segment/run-facts.ts";

/** What of a batch is not as its row says; undefined where it was removed meanwhile. */
export function compareBatch(entry: BatchEntry, reader: BatchReader): string[] | undefined {
  const run = reader.read(entry);
  if (run === "gone") {
    return undefined;
  }
  if (run === "damaged") {
    return ["cannot be decoded"];
  }
  const facts = runFacts(run);
  return (["count", "minTimeUs", "maxTimeUs", "severities", "bodyBytes"] as const)
    .filter((key) => facts[key] !== entry[key])
    .map((key) => `${key} is ${facts[key]}, and ${entry[key]} in its row`);
}
