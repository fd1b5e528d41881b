import { parseQuery, type Query } from "@sluice/query";
import { SearchError, type StoreReader } from "@sluice/store";
import { Hono } from "hono";

import { type ApiError, toApiError } from "./api-error.ts";
import { beginAnswer, encodeAnswer, encodeFollow } from "./api-stream.ts";
import { readSearch, readTail } from "./api-parameters.ts";
import { type ArrivalFeed, follow } from "./follow.ts";
import { refuseRepeated } from "./request-limits.ts";
import { busy, NOT_READY, refuse, refuseSearch } from "./refusal.ts";
import { type ApiDoor, addressOf } from "../access/api-door.ts";

/** Reports of the API to the application. */
interface ApiEvents {
  readonly searchBegan: () => void;
  /** However it ended: with its last row, an error, or its client gone. */
  readonly searchEnded: (tookMs: number) => void;
  /** What a client was only told as "internal". */
  readonly failed: (error: unknown) => void;
}

export interface ApiParts {
  /** Undefined while the store is not open, or after it failed. */
  readonly reader: () => StoreReader | undefined;
  readonly arrivals: ArrivalFeed;
  readonly door: ApiDoor;
  readonly events: ApiEvents;
}

/** Answers under way at a time; each holds a few chunks. More are asked to come back. */
const MAX_SEARCHES = 64;
const MAX_FOLLOWERS = 64;

const HEARTBEAT_MS = 5_000;

const NDJSON = "application/x-ndjson";
/** Lines `{"bodies":N}`, N bytes behind each; then the last line as for NDJSON. */
const BODIES = "application/vnd.sluice.bodies";

/**
 * The public API. `/v1/query` and `/v1/tail` stream: rows as they are found, pulled by the client,
 * and a client that goes away ends its search. Errors are JSON with `code`, `message`, `advice`.
 */
export function createApi(parts: ApiParts): Hono {
  const { reader, arrivals, door, events } = parts;
  const app = new Hono();
  let searches = 0;
  let followers = 0;

  /** A token that is revoked takes the answers that it has under way with it. */
  const endWithGrant = (authorization: string | undefined, gone: AbortController): (() => void) =>
    door.whenEnded(authorization, () => gone.abort());

  app.get("/healthz", (context) => context.text("ok\n"));
  app.get("/readyz", (context) =>
    reader() === undefined ? context.text("the store is not open\n", 503) : context.text("ok\n"),
  );

  app.use("/v1/*", async (context, next) => {
    const { method } = context.req;
    if (method !== "GET" && method !== "HEAD" && context.req.header("origin") !== undefined) {
      return refuse(403, {
        code: "origin-forbidden",
        message: "a request that changes something must not come from a web page",
        advice: "send it without an Origin header",
      });
    }
    const denial = door.refuse("query", context.req.header("authorization"), addressOf(context));
    if (denial !== undefined) {
      return refuse(denial.status, denial.error);
    }
    if (method === "HEAD") {
      return context.body(null, 405); // a stream whose body nobody reads would never end
    }
    return next();
  });

  app.use("/v1/*", refuseRepeated);

  app.get("/v1/query", async (context) => {
    const parameters = readSearch(context.req.query(), Date.now() * 1000);
    if (!parameters.ok) {
      return refuse(400, parameters.error);
    }
    const { request, progress } = parameters.value;
    const query = checkQuery(request.query);
    const store = reader();
    if ("code" in query) {
      return refuse(400, query);
    }
    if (store === undefined) {
      return refuse(503, NOT_READY);
    }
    if (searches >= MAX_SEARCHES) {
      return refuse(503, busy("searches"));
    }
    searches += 1;
    events.searchBegan();
    const startedMs = performance.now();
    const gone = new AbortController();
    const ended = (): void => {
      searches -= 1;
      events.searchEnded(performance.now() - startedMs);
    };
    const begun = await beginAnswer(store.search(request, gone.signal));
    if ("error" in begun) {
      ended();
      return refuseSearch(begun.error, events.failed);
    }
    const answer = encodeAnswer(begun.run, {
      framesBodies: request.render === "bodies",
      progress,
      failed: events.failed,
    });
    const unwatch = endWithGrant(context.req.header("authorization"), gone);
    return stream(request.render === "bodies" ? BODIES : NDJSON, answer, gone, () => {
      unwatch();
      ended();
    });
  });

  app.get("/v1/tail", (context) => {
    const parameters = readTail(context.req.query());
    if (!parameters.ok) {
      return refuse(400, parameters.error);
    }
    const { query: text, from } = parameters.value;
    const query = checkQuery(text);
    if ("code" in query) {
      return refuse(400, query);
    }
    const endless = query.stages.find(({ kind }) => kind !== "fields");
    if (endless !== undefined) {
      return refuse(400, {
        code: "stage-needs-end",
        message: `${endless.kind} needs an end, and a live view has none`,
        advice: "follow with a filter alone (and fields), or ask /v1/query",
      });
    }
    const store = reader();
    if (store === undefined) {
      return refuse(503, NOT_READY);
    }
    if (from !== undefined && from > store.highWater) {
      return refuse(410, {
        code: "cursor-unknown",
        message: "the cursor is ahead of what is stored: the store was replaced or rolled back",
        advice: "begin again without a cursor",
      });
    }
    if (followers >= MAX_FOLLOWERS) {
      return refuse(503, busy("followers"));
    }
    followers += 1;
    const gone = new AbortController();
    const lines = encodeFollow(
      follow({
        reader: store,
        query: text,
        from,
        arrival: arrivals.next,
        heartbeatMs: HEARTBEAT_MS,
        signal: gone.signal,
      }),
      events.failed,
    );
    const unwatch = endWithGrant(context.req.header("authorization"), gone);
    return stream(NDJSON, lines, gone, () => {
      unwatch();
      followers -= 1;
    });
  });

  app.notFound(() =>
    refuse(404, {
      code: "not-found",
      message: "nothing is served at this path",
      advice: "the API is under /v1",
    }),
  );
  app.onError((error) => {
    events.failed(error);
    return refuse(500, toApiError(error));
  });
  return app;
}

/** An answer that needs a place in the query is refused before it begins. */
function checkQuery(text: string): Query | ApiError {
  const query = parseQuery(text);
  return query.ok
    ? query.value
    : toApiError(new SearchError("query-invalid", query.error.message, query.error));
}

/** Pulled by the socket: a chunk is asked for when there is room. `ended` is called once, however it ends. */
function stream(
  contentType: string,
  chunks: AsyncGenerator<Uint8Array>,
  gone: AbortController,
  ended: () => void,
): Response {
  let isOver = false;
  const end = (): void => {
    if (!isOver) {
      isOver = true;
      ended();
    }
  };
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const step = await chunks.next();
        if (step.done === true) {
          end();
          controller.close();
        } else {
          controller.enqueue(step.value);
        }
      },
      async cancel() {
        gone.abort();
        end();
        await chunks.return(undefined);
      },
    },
    { highWaterMark: 0 },
  );
  return new Response(body, {
    headers: {
      "Content-Type": contentType,
      "Cache-Control": "no-store",
      "X-Content-Type-Options": "nosniff",
    },
  });
}
