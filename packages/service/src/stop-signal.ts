import { EXIT } from "./failure.ts";

/** How long a service that was asked to stop may take to hand over what is on its way. */
const STOP_WITHIN_MS = 10_000;

/** Resolves with the first SIGINT or SIGTERM. */
export function stopSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    process.once("SIGINT", resolve);
    process.once("SIGTERM", resolve);
  });
}

/** From now on a second signal, or ten seconds, end the process at once with exit code 1. */
export function endWithin(): void {
  setTimeout(() => process.exit(EXIT.failed), STOP_WITHIN_MS).unref();
  process.once("SIGINT", () => process.exit(EXIT.failed));
  process.once("SIGTERM", () => process.exit(EXIT.failed));
}
