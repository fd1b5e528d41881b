import { setTimeout as delay } from "node:timers/promises";
import { openStoreReader, type SearchRequest, type SearchRun } from "@sluice/store";

import { CollectorClient } from "./api-client.ts";
import type { Target } from "./context.ts";
import { follow, type FollowEvent } from "../api/follow.ts";

/** Where a command reads records: the same, whichever way they come. */
export interface LogSource extends AsyncDisposable {
  search(request: SearchRequest, signal: AbortSignal): SearchRun;
  follow(query: string, from: number | undefined, signal: AbortSignal): AsyncGenerator<FollowEvent>;
}

/** A folder says nothing of its own accord: it is looked at this often. */
const POLL_MS = 300;

const HEARTBEAT_MS = 5_000;

/** @throws StoreError where a data folder cannot be read */
export function openLogSource(target: Target): LogSource {
  switch (target.kind) {
    case "collector": {
      const client = new CollectorClient(target.url, target.token, target.trust);
      return {
        search: (request, signal) => client.search(request, signal),
        follow: (query, from, signal) => client.follow(query, from, signal),
        [Symbol.asyncDispose]: () => Promise.resolve(),
      };
    }
    case "data": {
      const reader = openStoreReader(target.dataDir);
      return {
        search: (request, signal) => reader.search(request, signal),
        follow: (query, from, signal) =>
          follow({
            reader,
            query,
            from,
            arrival: () => delay(POLL_MS),
            heartbeatMs: HEARTBEAT_MS,
            signal,
          }),
        [Symbol.asyncDispose]: () => reader[Symbol.asyncDispose](),
      };
    }
    default:
      return target satisfies never;
  }
}
