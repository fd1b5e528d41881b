import { eventually } from "./eventually.ts";
import { StoredData } from "./stored.ts";

/** Nothing is stored for this long: nothing will come any more. Rescans and reconnects take less. */
export const STALL_MS = 10_000;

/**
 * Waits for as long as anything is still being stored.
 *
 * @param leftOf what is still to come, by what is stored
 * @returns what did not come: empty where everything did
 */
export async function untilNothingIsLeft<T>(
  dataDir: string,
  leftOf: (data: StoredData) => readonly T[],
): Promise<readonly T[]> {
  let movedMs = performance.now();
  let before = "";
  return eventually(
    () => {
      using data = StoredData.open(dataDir);
      const state = JSON.stringify([data.streams(), data.finished()]);
      if (state !== before) movedMs = performance.now();
      before = state;
      const left = leftOf(data);
      return left.length === 0 || performance.now() - movedMs > STALL_MS ? left : undefined;
    },
    30 * STALL_MS,
    () => "something is stored all the time, and never what is waited for",
  );
}
