import { watch } from "node:fs";
import type { FSWatcher } from "node:fs";
import { systemCode } from "./open-file.ts";

/**
 * Waits until a timer, a change notice for the file at `watchPath`, or `wake` ends the wait. Throws
 * the signal's reason when aborted. A notice is only a hint: where the system gives none (its
 * watches are used up, a network file system), the timer decides alone.
 */
export async function waitForGrowth(options: {
  readonly waitMs: number;
  readonly watchPath: string | undefined;
  readonly signal: AbortSignal;
  /** Called with the function that ends the wait, and with undefined when it has ended. */
  readonly onWake: (wake: (() => void) | undefined) => void;
  /** Asked once the notice is armed: what happened just before it is not waited for. */
  readonly isDue: () => boolean;
}): Promise<void> {
  const { waitMs, watchPath, signal, onWake, isDue } = options;
  signal.throwIfAborted();
  let watcher: FSWatcher | undefined;
  let timer: NodeJS.Timeout | undefined;
  let onAbort: (() => void) | undefined;
  try {
    await new Promise<void>((resolve) => {
      onAbort = resolve;
      signal.addEventListener("abort", onAbort);
      timer = setTimeout(resolve, waitMs);
      onWake(resolve);
      if (watchPath !== undefined) {
        watcher = tryWatch(watchPath, resolve);
        if (isDue()) resolve();
      }
    });
  } finally {
    clearTimeout(timer);
    watcher?.close();
    onWake(undefined);
    if (onAbort !== undefined) signal.removeEventListener("abort", onAbort);
  }
  signal.throwIfAborted();
}

function tryWatch(path: string, onChange: () => void): FSWatcher | undefined {
  try {
    const watcher = watch(path, { persistent: false }, onChange);
    watcher.on("error", onChange);
    return watcher;
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return undefined;
  }
}
