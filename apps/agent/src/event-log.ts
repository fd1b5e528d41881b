import type { Log } from "@sluice/service";

import type { AgentEvent } from "./agent-event.ts";
import { describeEvent, type EventNote } from "./event-note.ts";

/** A warning that comes again within this time is counted, not written. */
const QUIET_MS = 60_000;
/** Different warnings that are remembered; beyond that the one longest ago is forgotten. */
const MOST_REMEMBERED = 1_024;

interface Repetition {
  readonly writtenAtMs: number;
  suppressed: number;
}

/**
 * Writes events to the agent's log. What goes on being wrong is said once a minute, with how many
 * times it was left out; the good news and what is new are never held back.
 */
export class EventLog {
  readonly #log: Pick<Log, "info" | "warn" | "error">;
  readonly #nowMs: () => number;
  readonly #repetitions = new Map<string, Repetition>();

  constructor(log: Pick<Log, "info" | "warn" | "error">, nowMs: () => number) {
    this.#log = log;
    this.#nowMs = nowMs;
  }

  write(event: AgentEvent): void {
    const { level, message, fields } = describeEvent(event);
    if (level === "info") {
      this.#log.info(fields, message);
      return;
    }
    const nowMs = this.#nowMs();
    const key = `${message} ${identityOf(fields)}`;
    const known = this.#repetitions.get(key);
    if (known !== undefined && nowMs - known.writtenAtMs < QUIET_MS) {
      known.suppressed += 1;
      return;
    }
    this.#repetitions.delete(key);
    this.#repetitions.set(key, { writtenAtMs: nowMs, suppressed: 0 });
    const [oldest] = this.#repetitions.keys();
    if (this.#repetitions.size > MOST_REMEMBERED && oldest !== undefined) {
      this.#repetitions.delete(oldest);
    }
    const repeated = known?.suppressed ?? 0;
    this.#log[level](repeated === 0 ? fields : { ...fields, repeated }, message);
  }
}

/** What tells one warning from another of the same words: everything but when it is tried again. */
function identityOf(fields: EventNote["fields"]): string {
  const { err } = fields;
  const text = err instanceof Error ? err.message : err;
  return JSON.stringify({ ...fields, err: text, retryInMs: undefined });
}
