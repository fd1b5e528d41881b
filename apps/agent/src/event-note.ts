import type { AgentEvent } from "./agent-event.ts";
import { describeTailEvent } from "./tail-event-note.ts";

/** An event as the log has it. */
export interface EventNote {
  readonly level: "info" | "warn" | "error";
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
  /** Whose event it is, where it is a source's: a path. */
  readonly source: string | undefined;
}

/** Puts an event into words. */
export function describeEvent(event: AgentEvent): EventNote {
  switch (event.kind) {
    case "connected":
      return note("info", "connected", { collector: event.url });
    case "disconnected": {
      const { collector, retryInMs, advice, reason } = event;
      return note("warn", `not connected: ${reason}`, {
        collector,
        retryInMs: Math.round(retryInMs),
        ...(advice !== undefined && { advice }),
      });
    }
    case "rolled-back": {
      const { source, generation, records } = event;
      const message =
        "the collector is behind what it had acknowledged (restored or damaged): sending again";
      return note("error", message, { source, generation, records });
    }
    case "rejected": {
      const { source, generation, code, detail } = event;
      const message = `a batch can never be accepted (${detail}): set aside in dead-letter, recorded as a gap`;
      return note("error", message, { source, generation, code });
    }
    case "stopped-stream": {
      const { source, generation, code, detail } = event;
      return note("error", `the stream is held: ${detail}`, { source, generation, code });
    }
    case "reconfigured":
      return note("info", "the configuration was read again and is in force", {
        sources: event.sources,
      });
    case "key-replaced":
      return note("info", "the key was replaced, as the collector asked", {});
    case "key-kept": {
      const { reason, advice } = event;
      return note("warn", `the key was not replaced: ${reason}`, { advice });
    }
    case "state-lost":
      return note("warn", "the agent's state is lost: asking the collector where it stands", {
        path: event.path,
      });
    case "tail": {
      const { level, message, fields } = describeTailEvent(event.event);
      return note(level, message, fields);
    }
    case "failed":
      return note("error", "a part of the agent failed", { err: event.error });
    default:
      return event satisfies never;
  }
}

function note(
  level: EventNote["level"],
  message: string,
  fields: Readonly<Record<string, unknown>>,
): EventNote {
  const source = fields["source"] ?? fields["path"];
  return { level, message, fields, source: typeof source === "string" ? source : undefined };
}
