import { formatProblem } from "@sluice/config";
import { createLog, EXIT, Failure, type Log, endWithin, stopSignal } from "@sluice/service";
import type { JournalFailedEvent } from "@sluice/tail";

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
      const advice = event.event.kind === "journal-failed" ? journalAdvice(event.event) : undefined;
      const told = advice === undefined ? fields : { ...fields, advice };
      log[TAIL_WARNINGS.has(kind) ? "warn" : "info"](told, TAIL_MESSAGES[kind]);
      return;
    }
    case "failed":
      log.error({ err: event.error }, "a part of the agent failed");
      return;
    default:
      event satisfies never;
  }
}

/** Where waiting alone will not mend it. */
function journalAdvice({ code, detail }: JournalFailedEvent): string | undefined {
  if (code === "missing") {
    return "install the package systemd, or take the journald source out of the configuration";
  }
  if (/permission/i.test(detail)) {
    return "add the agent's user to the group systemd-journal, or give it the folder to read";
  }
  return detail.includes("No such file")
    ? "create the folder, or correct journald.directory"
    : undefined;
}

type TailEventKind = Extract<AgentEvent, { kind: "tail" }>["event"]["kind"];

const TAIL_WARNINGS: ReadonlySet<TailEventKind> = new Set([
  "gap",
  "cursor-lost",
  "unreadable",
  "failed-scan",
  "journal-gap",
  "journal-failed",
  "journal-restricted",
]);

const TAIL_MESSAGES: Readonly<Record<TailEventKind, string>> = {
  unreadable: "cannot be read: give the agent's user read permission (group adm, or an ACL)",
  readable: "can be read now",
  refused: "is not a regular file and is not read",
  rotated: "rotated; reading it to its end where it is now",
  truncated: "truncated; reading from its beginning",
  recovered: "the unread rest was found in a copy",
  "late-write": "a finished file has grown",
  gap: "lost before it could be read; recorded as a gap",
  "cursor-lost": "the place to read on from is not in any file",
  "failed-scan": "looking for files failed; trying again",
  "journal-gap": "entries of the journal are lost; recorded as a gap",
  "journal-failed": "journalctl failed; starting it again at the last entry",
  "journal-recovered": "the journal is read again",
  "journal-restricted":
    "only the agent's own entries of the journal can be seen: add its user to the group systemd-journal",
};
