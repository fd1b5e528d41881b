import { EXIT, Failure, type Log, type ServiceNotifier } from "@sluice/service";

import type { Agent } from "./agent.ts";
import type { AgentSettings } from "./agent-settings.ts";
import type { MetricsServer } from "./metrics/metrics-server.ts";
import type { LoadedSettings } from "./settings.ts";

/** What `systemctl status` shows of an agent that is up. */
export const READY_STATUS = "shipping; more: sluice-agent status";

export interface ReloaderParts {
  readonly agent: Pick<Agent, "reconfigure">;
  readonly metrics: Pick<MetricsServer, "listen">;
  readonly notifier: Pick<ServiceNotifier, "ready" | "reloading">;
  /** Reads the configuration anew; throws a Failure that lists what is wrong with it. */
  readonly load: () => Promise<LoadedSettings>;
  readonly log: Pick<Log, "error" | "warn">;
  readonly settings: AgentSettings;
}

/**
 * Takes up the configuration again, one reload at a time; requests meanwhile share the next. A
 * configuration that is not valid changes nothing.
 */
export class Reloader implements AsyncDisposable {
  readonly #parts: ReloaderParts;
  #running: Promise<void> = Promise.resolve();
  #isQueued = false;
  #isStopped = false;

  constructor(parts: ReloaderParts) {
    this.#parts = parts;
  }

  request(): void {
    if (this.#isQueued) {
      return;
    }
    this.#isQueued = true;
    this.#running = this.#running.then(async () => {
      this.#isQueued = false;
      if (!this.#isStopped) {
        const { notifier } = this.#parts;
        await notifier.reloading();
        await this.#reload();
        await notifier.ready(READY_STATUS);
      }
    });
  }

  /** Waits for a reload that is under way. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isStopped = true;
    await this.#running;
  }

  async #reload(): Promise<void> {
    const { agent, metrics, log } = this.#parts;
    const settings = await this.#read();
    if (settings === undefined) {
      return;
    }
    try {
      await agent.reconfigure(settings);
      await metrics.listen(settings.metrics);
    } catch (err) {
      log.error({ err }, "the new configuration could not be taken up as a whole");
    }
  }

  async #read(): Promise<AgentSettings | undefined> {
    const { load, log, settings: first } = this.#parts;
    try {
      const { settings } = await load();
      if (settings.sources.length === 0) {
        throw new Failure("no sources are configured", "add some under `sources`", EXIT.config);
      }
      await settings.token();
      await settings.tls();
      if (settings.stateDir !== first.stateDir) {
        log.warn(
          { stateDir: first.stateDir, configured: settings.stateDir },
          "state_dir stays as it is until the agent is restarted",
        );
      }
      return settings;
    } catch (error) {
      if (!(error instanceof Failure)) {
        throw error;
      }
      for (const problem of error.message.split("\n")) {
        log.error({ advice: error.advice }, `the configuration stays as it was: ${problem}`);
      }
      return undefined;
    }
  }
}
