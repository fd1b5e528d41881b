import { Worker } from "node:worker_threads";

import type { RetentionDecision, RetentionQuestion } from "./retention-decision.ts";

/** The module of the thread: `.js` as built, `.ts` where the sources run as they are. */
const THREAD_URL = new URL(
  `./retention-thread${import.meta.url.endsWith(".ts") ? ".ts" : ".js"}`,
  import.meta.url,
);

/**
 * Decides in a thread of its own, which ends with the answer: to list and to plan 150,000 batches
 * (a head of 4 GiB) takes about a second, and agents and queries wait for nothing that long.
 *
 * @throws what the store says where it cannot be read
 */
export function decideInThread(question: RetentionQuestion): Promise<RetentionDecision> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(THREAD_URL, { workerData: question, name: "sluice-retention" });
    worker.once("message", resolve);
    worker.once("error", reject);
    // Behind an answer or an error this changes nothing.
    worker.once("exit", (code) => reject(new Error(`the retention thread ended with ${code}`)));
  });
}
