import type { StreamChange } from "./source.ts";

/** Hands every change to every subscriber, in order. A subscriber that lags keeps its backlog. */
export class ChangeFeed {
  readonly #subscribers = new Set<Subscriber>();
  #closed = false;

  push(change: StreamChange): void {
    for (const subscriber of this.#subscribers) {
      subscriber.backlog.push(change);
      subscriber.wake?.();
    }
  }

  close(): void {
    this.#closed = true;
    for (const subscriber of this.#subscribers) subscriber.wake?.();
  }

  /** Counts from the call on, not from the first step of the iteration. Ends on abort or `close`. */
  subscribe(signal: AbortSignal): AsyncIterableIterator<StreamChange> {
    const subscriber: Subscriber = { backlog: [], wake: undefined };
    this.#subscribers.add(subscriber);
    return this.#iterate(subscriber, signal);
  }

  async *#iterate(
    subscriber: Subscriber,
    signal: AbortSignal,
  ): AsyncGenerator<StreamChange, undefined> {
    const onAbort = (): void => subscriber.wake?.();
    signal.addEventListener("abort", onAbort);
    try {
      while (!signal.aborted) {
        const change = subscriber.backlog.shift();
        if (change !== undefined) {
          yield change;
        } else if (this.#closed) {
          return;
        } else {
          await new Promise<void>((resolve) => {
            subscriber.wake = resolve;
          });
          subscriber.wake = undefined;
        }
      }
    } finally {
      signal.removeEventListener("abort", onAbort);
      this.#subscribers.delete(subscriber);
    }
  }
}

interface Subscriber {
  readonly backlog: StreamChange[];
  wake: (() => void) | undefined;
}
