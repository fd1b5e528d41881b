import { formatSize } from "@sluice/quantity";
import type { SearchRun } from "@sluice/store";

/** Shorter searches need none. */
const AFTER_MS = 1_000;
const EVERY_MS = 250;

const CLEAR_LINE = "\r\u001b[2K";

export interface Progress extends Disposable {
  /** Makes room before something else is printed. */
  clear(): void;
}

/** Shows on stderr how far a search is that takes long, in one line that goes away again. */
export function showProgress(run: Pick<SearchRun, "progress">, isWatched: boolean): Progress {
  if (!isWatched) {
    return { clear: () => undefined, [Symbol.dispose]: () => undefined };
  }
  const startedMs = performance.now();
  let isShown = false;
  const clear = (): void => {
    if (isShown) {
      isShown = false;
      process.stderr.write(CLEAR_LINE);
    }
  };
  const timer = setInterval(() => {
    if (performance.now() - startedMs >= AFTER_MS) {
      isShown = true;
      process.stderr.write(`${CLEAR_LINE}${progressLine(run.progress)}`);
    }
  }, EVERY_MS);
  timer.unref();
  return {
    clear,
    [Symbol.dispose]: () => {
      clearInterval(timer);
      clear();
    },
  };
}

function progressLine({ blocksRead, blocksTotal, bytesRead }: SearchRun["progress"]): string {
  const of = blocksTotal === 0 ? "" : ` of ${blocksTotal.toLocaleString("en")}`;
  return `searching: ${blocksRead.toLocaleString("en")}${of} blocks, ${formatSize(bytesRead)}`;
}
