import type { TailEvent } from "@sluice/tail";

import type { AgentEvent } from "../agent-event.ts";
import { describeEvent } from "../event-note.ts";

/** Sources of which the last trouble is remembered, the latest ones. */
const MOST_SOURCES = 1_024;

export interface Trouble {
  readonly atMs: number;
  readonly message: string;
}

/** The last thing that went wrong, by source and for the agent as a whole. */
export class TroubleList {
  readonly #bySource = new Map<string, Trouble>();
  #last: Trouble | undefined;

  get last(): Trouble | undefined {
    return this.#last;
  }

  of(source: string): Trouble | undefined {
    return this.#bySource.get(source);
  }

  /** Paths in trouble of which there may be no stream, such as unreadable ones. */
  get sources(): ReadonlyMap<string, Trouble> {
    return this.#bySource;
  }

  note(event: AgentEvent, atMs: number): void {
    const mended = event.kind === "tail" ? mendedSource(event.event) : undefined;
    if (mended !== undefined) {
      this.#bySource.delete(mended);
    }
    const { level, message, fields, source } = describeEvent(event);
    if (level === "info" || event.kind === "disconnected") {
      return; // The connection's story is told elsewhere.
    }
    const cause = fields["err"] instanceof Error ? `${message}: ${fields["err"].message}` : message;
    const trouble = { atMs, message: cause };
    this.#last = trouble;
    if (source === undefined) {
      return;
    }
    this.#bySource.delete(source);
    this.#bySource.set(source, trouble);
    const [oldest] = this.#bySource.keys();
    if (this.#bySource.size > MOST_SOURCES && oldest !== undefined) {
      this.#bySource.delete(oldest);
    }
  }
}

/** Whose trouble is over; undefined where the event says nothing of that kind. */
function mendedSource(event: TailEvent): string | undefined {
  switch (event.kind) {
    case "readable":
      return event.path;
    case "journal-recovered":
      return event.source;
    default:
      return undefined;
  }
}
