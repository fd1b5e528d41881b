import { setTimeout as delay } from "node:timers/promises";
import type { StoreReader } from "@sluice/store";

/** What a follower is told. Rows count once the cursor behind them has come: a cut before it repeats them. */
export type FollowEvent =
  /** Whole lines of NDJSON. */
  | { readonly kind: "rows"; readonly bytes: Uint8Array }
  /** Everything up to the batch `cursor` was looked at; `behind` batches more have arrived. */
  | { readonly kind: "cursor"; readonly cursor: number; readonly behind: number };

export interface FollowOptions {
  readonly reader: Pick<StoreReader, "search" | "highWater">;
  /** A filter, and `fields` stages at most: what needs an end never comes to one here. */
  readonly query: string;
  /** The cursor to go on from; undefined for what arrives from now on. */
  readonly from: number | undefined;
  /** Resolves when more may have arrived. */
  readonly arrival: () => Promise<void>;
  /** A cursor goes out at least this often, so that a dead link is noticed. */
  readonly heartbeatMs: number;
  readonly signal: AbortSignal;
}

/** Some 24 MB of rows at most: read at once into memory, so that a slow follower holds no search thread. */
const BATCHES_AT_ONCE = 32;

const SEARCH_DEADLINE_MS = 60_000;

/**
 * Follows what arrives, in ranges of batches: rows by time within a range, then the cursor behind
 * it. Pulled by its consumer and holds one range at most, so a slow one delays nobody, and learns
 * from each cursor how far behind it is. Ends when the signal does.
 *
 * @throws SearchError
 */
export async function* follow(options: FollowOptions): AsyncGenerator<FollowEvent> {
  const { reader, heartbeatMs, signal } = options;
  let cursor = options.from ?? reader.highWater;
  let saidAtMs = performance.now();
  yield { kind: "cursor", cursor, behind: Math.max(0, reader.highWater - cursor) };
  while (!signal.aborted) {
    const arrival = options.arrival(); // asked for before looking, so that none falls in between
    const { highWater } = reader;
    if (highWater <= cursor) {
      await Promise.race([arrival, pause(heartbeatMs, signal)]);
    } else {
      const upTo = Math.min(highWater, cursor + BATCHES_AT_ONCE);
      const rows = await readRange(options, { after: cursor, upTo });
      cursor = upTo;
      if (rows.length > 0) {
        yield { kind: "rows", bytes: rows };
        saidAtMs = Number.NEGATIVE_INFINITY;
      }
    }
    if (performance.now() - saidAtMs >= heartbeatMs) {
      saidAtMs = performance.now();
      yield { kind: "cursor", cursor, behind: Math.max(0, reader.highWater - cursor) };
    }
  }
}

async function readRange(
  { reader, query, signal }: FollowOptions,
  arrived: { readonly after: number; readonly upTo: number },
): Promise<Uint8Array> {
  const run = reader.search(
    { query, order: "time", reverse: false, arrived, deadlineMs: SEARCH_DEADLINE_MS },
    signal,
  );
  const chunks: Uint8Array[] = [];
  for await (const chunk of run) {
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Resolves early, rather than rejecting, when the signal aborts. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => undefined);
}

/** Wakes followers at a commit. One that is busy finds one wake for many commits. */
export class ArrivalFeed {
  #next = Promise.withResolvers<void>();

  committed(): void {
    const { resolve } = this.#next;
    this.#next = Promise.withResolvers();
    resolve();
  }

  readonly next = (): Promise<void> => this.#next.promise;
}
