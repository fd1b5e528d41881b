import { execFile } from "node:child_process";
import { promisify } from "node:util";

const execute = promisify(execFile);

/** A `systemd-notify` that takes longer has not been heard. */
const SEND_TIMEOUT_MS = 10_000;

export interface NotifierEvents {
  /** systemd was not told; it draws its own conclusions. */
  failed(error: unknown): void;
  /** The service is not well, so the watchdog is not told that it is. */
  unwell(error: unknown): void;
}

export interface NotifierOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly events: NotifierEvents;
}

/**
 * Tells systemd how the service is doing, as sd_notify(3) describes it. Node.js has no datagrams over unix sockets, so
 * `systemd-notify` sends them, and the unit needs `NotifyAccess=all`. Without NOTIFY_SOCKET nothing is sent.
 *
 * Messages leave one after the other, in the order of the calls.
 */
export class ServiceNotifier implements AsyncDisposable {
  readonly #env: Readonly<Record<string, string | undefined>>;
  readonly #events: NotifierEvents;
  readonly #isOn: boolean;
  #sending: Promise<void> = Promise.resolve();
  #beat: NodeJS.Timeout | undefined;
  #isLooking = false;

  constructor({ env, events }: NotifierOptions) {
    this.#env = env;
    this.#events = events;
    this.#isOn = (env["NOTIFY_SOCKET"] ?? "") !== "";
  }

  /** It serves. Resolves when systemd has been told, or never will be. */
  ready(status: string): Promise<void> {
    return this.#send("READY=1", `STATUS=${status}`);
  }

  /** It takes up its configuration; `ready` ends that. */
  reloading(): Promise<void> {
    const monotonicUs = process.hrtime.bigint() / 1000n;
    return this.#send("RELOADING=1", `MONOTONIC_USEC=${monotonicUs}`);
  }

  /** No more beats either: parts are taken down from now on. */
  stopping(): Promise<void> {
    clearInterval(this.#beat);
    return this.#send("STOPPING=1", "STATUS=stopping");
  }

  /**
   * Tells the watchdog at half of its time that the service is alive, for as long as it is: a look that fails
   * or does not come back, and an event loop that stands still, have systemd end the service and start it anew.
   *
   * @param look goes through the parts that do the work; throws where one does not answer
   */
  watch(look: () => Promise<void>): void {
    const intervalMs = watchdogMs(this.#env) / 2;
    if (!this.#isOn || !Number.isFinite(intervalMs)) {
      return;
    }
    this.#beat = setInterval(() => void this.#look(look), intervalMs);
    this.#beat.unref();
  }

  /** No more beats. */
  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#beat);
    await this.#sending;
  }

  async #look(look: () => Promise<void>): Promise<void> {
    if (this.#isLooking) {
      return; // The look before has not come back: that says it all.
    }
    this.#isLooking = true;
    try {
      await look();
      await this.#send("WATCHDOG=1");
    } catch (error) {
      this.#events.unwell(error);
    } finally {
      this.#isLooking = false;
    }
  }

  #send(...assignments: readonly string[]): Promise<void> {
    if (!this.#isOn) {
      return Promise.resolve();
    }
    this.#sending = this.#sending.then(async () => {
      try {
        await execute("systemd-notify", assignments, {
          env: { ...this.#env },
          timeout: SEND_TIMEOUT_MS,
        });
      } catch (error) {
        this.#events.failed(error);
      }
    });
    return this.#sending;
  }
}

/** sd_watchdog_enabled(3): the time in microseconds, meant for the process that is named, or for any. */
function watchdogMs(env: Readonly<Record<string, string | undefined>>): number {
  const { WATCHDOG_USEC: microseconds, WATCHDOG_PID: pid } = env;
  const isMeant = pid === undefined || Number(pid) === process.pid;
  const ms = Number(microseconds) / 1000;
  return isMeant && ms > 0 ? ms : Number.POSITIVE_INFINITY;
}
