import { parentPort, workerData } from "node:worker_threads";
import { openStoreReader } from "@sluice/store";

import { decideRetention, type RetentionQuestion } from "./retention-decision.ts";

/** The body of the thread that `decideInThread` starts: one question, one answer. A failure is the thread's end. */
async function answer(question: RetentionQuestion): Promise<void> {
  await using reader = openStoreReader(question.dataDir);
  parentPort?.postMessage(await decideRetention(reader, question));
}

void answer(workerData as RetentionQuestion);
