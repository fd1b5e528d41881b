import { setTimeout as delay } from "node:timers/promises";

import { LinkFailure } from "../client/api-link.ts";
import type { LogSource } from "../client/log-source.ts";

/** What a person should know about a live view while it runs. */
export type TailNotice =
  | { readonly kind: "reconnecting"; readonly reason: string }
  | { readonly kind: "reconnected" }
  /** Batches that have arrived and were not shown yet. */
  | { readonly kind: "behind"; readonly batches: number }
  | { readonly kind: "caught-up" };

export interface TailOptions {
  readonly source: Pick<LogSource, "follow">;
  readonly query: string;
  readonly from: number | undefined;
  readonly notice: (notice: TailNotice) => void;
  readonly signal: AbortSignal;
  /** The first pause before a link is tried again; it doubles up to `MAX_PAUSE_MS`. Default: 250. */
  readonly firstPauseMs?: number;
}

const MAX_PAUSE_MS = 10_000;

/** Fewer batches than this are the ordinary bustle of a busy collector. */
const BEHIND_BATCHES = 64;

/**
 * Follows through cut links: goes on from the last cursor, and gives out rows only once the cursor
 * behind them has come, so that a cut shows no line twice and loses none.
 *
 * @throws what `follow` throws, but for a link that fails after it has worked once
 */
export async function* tailLines(options: TailOptions): AsyncGenerator<Uint8Array> {
  const { source, query, signal, notice } = options;
  const firstPauseMs = options.firstPauseMs ?? 250;
  let cursor = options.from;
  let pauseMs = firstPauseMs;
  let hasWorked = false;
  let isCut = false;
  let isBehind = false;
  while (!signal.aborted) {
    const held: Uint8Array[] = [];
    try {
      for await (const event of source.follow(query, cursor, signal)) {
        if (event.kind === "rows") {
          held.push(event.bytes);
          continue;
        }
        if (isCut) {
          notice({ kind: "reconnected" });
        }
        hasWorked = true;
        isCut = false;
        pauseMs = firstPauseMs;
        cursor = event.cursor;
        yield* held.splice(0);
        if (event.behind >= BEHIND_BATCHES) {
          isBehind = true;
          notice({ kind: "behind", batches: event.behind });
        } else if (isBehind && event.behind === 0) {
          isBehind = false;
          notice({ kind: "caught-up" });
        }
      }
      return;
    } catch (error) {
      if (!(error instanceof LinkFailure) || !hasWorked) {
        throw error;
      }
      if (!isCut) {
        isCut = true;
        notice({ kind: "reconnecting", reason: error.message });
      }
      await delay(pauseMs, undefined, { signal }).catch(() => undefined);
      pauseMs = Math.min(2 * pauseMs, MAX_PAUSE_MS);
    }
  }
}
