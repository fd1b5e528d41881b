#!/usr/bin/env node
/** Where `sluice` as one file begins: the command line, or, in a thread, what the thread's name says. */
import { isMainThread, threadName, Worker, type WorkerOptions } from "node:worker_threads";
import { startThreadsBy } from "@sluice/store/thread";
import { STORE_THREADS } from "@sluice/store/threads";

import { loadAddon } from "./executable/addon.ts";
import { embedded } from "./executable/embedded.ts";

const THREADS: typeof STORE_THREADS = {
  ...STORE_THREADS,
  "sluice-retention": () => import("./retention/retention-thread.ts"),
};

/** An executable has no file that a thread could begin in, and carries the text of this one. */
function startThread(options: WorkerOptions): Worker {
  const code = embedded()?.getAsset("sluice.cjs", "utf8");
  if (code === undefined) {
    return new Worker(import.meta.filename, options);
  }
  loadAddon(); // here first, so that every thread has this one
  return new Worker(code, { ...options, eval: true });
}

if (isMainThread) {
  startThreadsBy(startThread);
  void import("./bin.ts");
} else {
  void THREADS[threadName ?? ""]?.();
}
