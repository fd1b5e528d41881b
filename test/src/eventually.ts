import { setTimeout as delay } from "node:timers/promises";

/** How often another process's state is looked at, which sends no event to wait for. */
const LOOK_EVERY_MS = 50;

/**
 * Resolves with the first defined value that `look` gives.
 *
 * @throws after `withinMs`, with what `describe` says of how things stand
 */
export async function eventually<T>(
  look: () => T | undefined,
  withinMs: number,
  describe: () => string,
): Promise<T> {
  const endMs = performance.now() + withinMs;
  for (;;) {
    const value = look();
    if (value !== undefined) return value;
    if (performance.now() > endMs) throw new Error(`not within ${withinMs} ms: ${describe()}`);
    await delay(LOOK_EVERY_MS);
  }
}
