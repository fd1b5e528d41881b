import { readlinkSync } from "node:fs";
import { setPriority } from "node:os";
import { basename } from "node:path";
import { Worker, type WorkerOptions } from "node:worker_threads";

/**
 * Of a thread's young generation. Blocks and batches are buffers that die young: V8 frees them only when
 * it collects, and with its default of 48 MiB four searches at a time took 100 MiB more, and were no faster.
 */
const YOUNG_GENERATION_MIB = 8;

/** Starts any thread of a bundle, which knows by `options.name` which one it is to begin. */
type BundleThreads = (options: WorkerOptions) => Worker;

let bundleThreads: BundleThreads | undefined;

/** In a bundle no module lies beside another: its entry says, before anything starts a thread, how that is done. */
export function startThreadsBy(start: BundleThreads): void {
  bundleThreads = start;
}

/**
 * Starts a thread on a module beside the one that starts it: `.js` as built, `.ts` where the sources run as
 * they are (Node strips the types).
 */
export function startThread(
  module: string,
  importMetaUrl: string,
  name: string,
  workerData: unknown,
): Worker {
  const options = {
    name,
    workerData,
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MIB },
  };
  if (bundleThreads !== undefined) {
    return bundleThreads(options);
  }
  const extension = importMetaUrl.endsWith(".ts") ? ".ts" : ".js";
  return new Worker(new URL(module + extension, importMetaUrl), options);
}

/**
 * Lets the threads that take in and commit go before the calling one: on Linux the priority of a thread is
 * its own. Elsewhere it stays that of the process.
 *
 * @param niceness 0, as the others, to 19, what is left over
 */
export function yieldToOthers(niceness: number): void {
  try {
    setPriority(Number(basename(readlinkSync("/proc/thread-self"))), niceness);
  } catch {
    // Not on Linux, or not allowed: a share as large as the others' is what it has then.
  }
}
