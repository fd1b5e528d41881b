import type { IncomingMessage } from "node:http";
import { formatTimeRfc3339, timeUs } from "@sluice/quantity";
import {
  SearchError,
  type SearchProgress,
  type SearchRequest,
  type SearchRun,
  type SearchSummary,
} from "@sluice/store";

import { ANSWER_MARKS, FOLLOW_MARKS, readBodies, readLines } from "./answer-reader.ts";
import { fromApiError } from "../api/api-error.ts";
import { ApiLink } from "./api-link.ts";
import type { Token, Trust } from "./context.ts";
import type { FollowEvent } from "../api/follow.ts";

/** For documents, which the collector has at hand. */
const ANSWER_WITHIN_MS = 20_000;

/** A collector's API, as the commands use it. All errors are a Failure, or a SearchError as the store throws it. */
export class CollectorClient {
  readonly #link: ApiLink;

  constructor(url: URL, token: Token | undefined, trust?: Trust, silenceMs?: number) {
    this.#link = new ApiLink(url, token, trust, silenceMs);
  }

  search(request: SearchRequest, signal: AbortSignal): SearchRun {
    const summary = Promise.withResolvers<SearchSummary>();
    summary.promise.catch(() => undefined); // the iteration throws the same error
    let progress: SearchProgress = { blocksRead: 0, blocksTotal: 0, bytesRead: 0 };
    const answer = this.#answer(request, signal, (now) => {
      progress = now;
    });
    return {
      summary: summary.promise,
      get progress(): SearchProgress {
        return progress;
      },
      async *[Symbol.asyncIterator]() {
        try {
          summary.resolve(yield* answer);
        } catch (error) {
          summary.reject(error);
          throw error;
        } finally {
          summary.reject(new SearchError("cancelled", "the search was cancelled"));
        }
      },
    };
  }

  /** Follows from a cursor; ends with a LinkFailure when the link does. */
  async *follow(
    query: string,
    from: number | undefined,
    signal: AbortSignal,
  ): AsyncGenerator<FollowEvent> {
    const path = `v1/tail?${new URLSearchParams({ q: query, ...(from !== undefined && { from: String(from) }) }).toString()}`;
    const response = await this.#get(path, signal);
    try {
      for await (const part of readLines(this.#link.chunks(response), FOLLOW_MARKS)) {
        if (part.kind === "rows") {
          yield part;
        } else if (part.kind === "cursor") {
          yield { kind: "cursor", cursor: part.cursor, behind: part.behind };
        } else if (part.kind === "error") {
          throw fromApiError(part.error);
        }
      }
    } catch (error) {
      throw this.#link.failure(error, signal);
    } finally {
      response.destroy();
    }
    throw this.#link.cut();
  }

  /** A JSON document of the API. `path` is relative to the collector's address: `v1/agents`. */
  async getJson(
    path: string,
    signal: AbortSignal = AbortSignal.timeout(ANSWER_WITHIN_MS),
  ): Promise<unknown> {
    return this.#link.json(await this.#get(path, signal));
  }

  /** Asks the collector to do something, and gives its JSON answer. */
  async postJson(path: string, body: unknown, signal: AbortSignal): Promise<unknown> {
    return this.#link.json(await this.#link.send("POST", path, signal, JSON.stringify(body)));
  }

  async *#answer(
    request: SearchRequest,
    signal: AbortSignal,
    onProgress: (progress: SearchProgress) => void,
  ): AsyncGenerator<Uint8Array, SearchSummary> {
    const response = await this.#get(`v1/query?${searchParameters(request)}`, signal);
    try {
      const chunks = this.#link.chunks(response);
      const parts =
        request.render === "bodies" ? readBodies(chunks) : readLines(chunks, ANSWER_MARKS);
      for await (const part of parts) {
        switch (part.kind) {
          case "rows":
            yield part.bytes;
            break;
          case "progress":
            onProgress(part.progress);
            break;
          case "end":
            onProgress(part.summary);
            return part.summary;
          case "error":
            throw fromApiError(part.error);
          case "cursor":
            break;
          default:
            part satisfies never;
        }
      }
    } catch (error) {
      throw this.#link.failure(error, signal);
    } finally {
      response.destroy();
    }
    throw this.#link.cut();
  }

  async #get(path: string, signal: AbortSignal): Promise<IncomingMessage> {
    return this.#link.send("GET", path, signal, undefined);
  }
}

function searchParameters(request: SearchRequest): string {
  const { query, fromUs, untilUs, order, reverse, limit, afterId, page, render } = request;
  const { isLast = false, maxReadBytes, deadlineMs } = request;
  return new URLSearchParams({
    q: query,
    ...(fromUs !== undefined && { since: formatTimeRfc3339(timeUs(fromUs)) }),
    ...(untilUs !== undefined && { until: formatTimeRfc3339(timeUs(untilUs)) }),
    ...(limit === undefined ? { all: "1" } : { n: String(limit) }),
    order,
    reverse: reverse ? "1" : "0",
    ...(afterId !== undefined && { after: afterId }),
    ...(page !== undefined && { page }),
    ...(isLast && { last: "1" }),
    ...(maxReadBytes !== undefined && { maxRead: String(maxReadBytes) }),
    ...(render !== undefined && { render }),
    deadline: `${deadlineMs}ms`,
    progress: "1",
  }).toString();
}
