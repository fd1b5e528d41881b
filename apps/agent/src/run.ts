import { isatty } from "node:tty";
import { formatProblem } from "@sluice/config";
import {
  createLog,
  EXIT,
  Failure,
  type Log,
  endWithin,
  ownNotifier,
  stopSignal,
} from "@sluice/service";

import { Agent } from "./agent.ts";
import { EventLog } from "./event-log.ts";
import { MetricsServer } from "./metrics/metrics-server.ts";
import { READY_STATUS, Reloader } from "./reloader.ts";
import type { LoadedSettings } from "./settings.ts";
import { StatusSocket } from "./status/status-socket.ts";

/**
 * `sluice-agent run`: ships until it is told to stop.
 *
 * @param load reads the configuration anew, for SIGHUP
 */
export async function runAgent(
  { config, settings }: LoadedSettings,
  load: () => Promise<LoadedSettings>,
): Promise<void> {
  const log = createLog(process.stderr.isTTY);
  for (const warning of config.warnings) {
    log.warn(formatProblem(warning));
  }
  if (settings.sources.length === 0) {
    throw new Failure("no sources are configured", "add some under `sources`", EXIT.config);
  }
  await settings.token();
  await settings.tls();
  const stopped = Promise.race([stopSignal(), hangup()]); // before anyone is told that it is ready
  await using notifier = ownNotifier(log);
  const events = new EventLog(log, () => performance.now());
  const agent = await Agent.start(settings, (event) => events.write(event));
  const metrics = new MetricsServer(() => agent.status(), log);
  const reloader = new Reloader({ agent, metrics, notifier, load, log, settings });
  process.on("SIGHUP", () => reloader.request());
  const socket = await openStatusSocket(settings.stateDir, agent, log);
  await metrics.listen(settings.metrics);
  log.info({ host: settings.host, collector: settings.collectors[0] }, "ready");
  await notifier.ready(READY_STATUS);
  notifier.watch(() => agent.look());
  const signal = await stopped;
  log.info({ signal }, "stopping");
  endWithin();
  await notifier.stopping();
  await socket?.[Symbol.asyncDispose]();
  await metrics[Symbol.asyncDispose]();
  await reloader[Symbol.asyncDispose]();
  await agent[Symbol.asyncDispose]();
  log.info("stopped");
}

/** An agent that cannot be asked ships all the same. */
async function openStatusSocket(
  stateDir: string,
  agent: Agent,
  log: Log,
): Promise<StatusSocket | undefined> {
  try {
    return await StatusSocket.open(stateDir, () => agent.status());
  } catch (err) {
    log.warn({ err }, "`sluice-agent status` will not work: its socket cannot be opened");
    return undefined;
  }
}

/** A person's terminal that is closed sends SIGHUP too, and is gone by then: nobody reloads by that. */
function hangup(): Promise<NodeJS.Signals> {
  const hadTerminal = isatty(2);
  return new Promise((resolve) => {
    process.on("SIGHUP", (signal) => {
      if (hadTerminal && !isatty(2)) {
        resolve(signal);
      }
    });
  });
}
