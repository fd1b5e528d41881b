import { formatProblem } from "@sluice/config";
import { createLog, EXIT, Failure, type Log, endWithin, stopSignal } from "@sluice/service";

import type { AgentEvent } from "./agent-event.ts";
import { Agent } from "./agent.ts";
import type { LoadedSettings } from "./settings.ts";

/** `sluice-agent run`: ships until it is told to stop. */
export async function runAgent({ config, settings }: LoadedSettings): Promise<void> {
  const log = createLog(process.stderr.isTTY);
  for (const warning of config.warnings) {
    log.warn(formatProblem(warning));
  }
  if (settings.sources.length === 0) {
    throw new Failure("no sources are configured", "add some under `sources`", EXIT.config);
  }
  await settings.token();
  const agent = await Agent.start(settings, (event) => note(log, event));
  const stopped = stopSignal(); // before anyone is told that it is ready
  log.info({ host: settings.host, collector: settings.collectors[0] }, "ready");
  const signal = await stopped;
  log.info({ signal }, "stopping");
  endWithin();
  await agent[Symbol.asyncDispose]();
  log.info("stopped");
}

function note(log: Log, event: AgentEvent): void {
  switch (event.kind) {
    case "connected":
      log.info({ collector: event.url }, "connected");
      return;
    case "disconnected":
      log.warn(
        {
          retryInMs: Math.round(event.retryInMs),
          ...(event.advice !== undefined && { advice: event.advice }),
        },
        `not connected: ${event.reason}`,
      );
      return;
    case "rolled-back":
      log.error(
        { source: event.source, generation: event.generation, records: event.records },
        "the collector is behind what it had acknowledged (restored or damaged): sending again",
      );
      return;
    case "rejected":
      log.error(
        { source: event.source, generation: event.generation, code: event.code },
        `a batch can never be accepted (${event.detail}): set aside in dead-letter, recorded as a gap`,
      );
      return;
    case "stopped-stream":
      log.error(
        { source: event.source, generation: event.generation, code: event.code },
        `the stream is held: ${event.detail}`,
      );
      return;
    case "state-lost":
      log.warn(
        { path: event.path },
        "the agent's state is lost: asking the collector where it stands",
      );
      return;
    case "tail": {
      const { kind, ...fields } = event.event;
      const isLoss = kind === "gap" || kind === "cursor-lost" || kind === "unreadable";
      const text =
        event.event.kind === "refused"
          ? REFUSED_MESSAGES[event.event.reason]
          : TAIL_MESSAGES[event.event.kind];
      log[isLoss || kind === "failed-scan" ? "warn" : "info"](fields, text);
      return;
    }
    case "failed":
      log.error({ err: event.error }, "a part of the agent failed");
      return;
    default:
      event satisfies never;
  }
}

type Told = Extract<AgentEvent, { kind: "tail" }>["event"];

const REFUSED_MESSAGES: Readonly<Record<Extract<Told, { kind: "refused" }>["reason"], string>> = {
  fifo: "is a pipe and is not read: only regular files are",
  socket: "is a socket and is not read: only regular files are",
  device: "is a device and is not read: only regular files are",
  compressed: "is compressed and only read where it holds the rest of a log that is read",
  "outside-roots":
    "leads out of the folders that may be read: add the folder that it leads into to the source's `roots`",
  "own-log": "is written by the agent itself and is not read: exclude it",
};

const TAIL_MESSAGES: Readonly<Record<Exclude<Told["kind"], "refused">, string>> = {
  unreadable: "cannot be read: give the agent's user read permission (group adm, or an ACL)",
  readable: "can be read now",
  rotated: "rotated; reading it to its end where it is now",
  truncated: "truncated; reading from its beginning",
  recovered: "the unread rest was found in a copy or an archive",
  "late-write": "a finished file has grown",
  gap: "lost before it could be read; recorded as a gap",
  "cursor-lost": "the place to read on from is not in any file",
  "failed-scan": "looking for files failed; trying again",
};
