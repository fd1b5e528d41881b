import { startThread } from "@sluice/store/thread";

import type { RetentionDecision, RetentionQuestion } from "./retention-decision.ts";

/**
 * Decides in a thread of its own, which ends with the answer: to list and to plan 150,000 batches
 * (a head of 4 GiB) takes about a second, and agents and queries wait for nothing that long.
 *
 * @throws what the store says where it cannot be read
 */
export function decideInThread(question: RetentionQuestion): Promise<RetentionDecision> {
  return new Promise((resolve, reject) => {
    const worker = startThread("./retention-thread", import.meta.url, "sluice-retention", question);
    worker.once("message", resolve);
    worker.once("error", reject);
    // Behind an answer or an error this changes nothing.
    worker.once("exit", (code) => reject(new Error(`the retention thread ended with ${code}`)));
  });
}
