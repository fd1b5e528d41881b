import { createInterface } from "node:readline";

import { StoreWorker } from "./store-worker.ts";
import type { WorkerCommand, WorkerOptions } from "./worker-messages.ts";

/** The process that is killed: a store at work, led by lines of JSON. */
await using worker = await StoreWorker.open(JSON.parse(process.argv[2] ?? "") as WorkerOptions);
for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line) as WorkerCommand;
  if (command.kind === "close") {
    break;
  }
  await worker.carryOut(command);
}
