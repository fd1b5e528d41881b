import { once } from "node:events";
import { type IncomingMessage, request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { EXIT, Failure } from "@sluice/config";
import { formatTimeRfc3339, timeUs } from "@sluice/quantity";
import {
  SearchError,
  type SearchProgress,
  type SearchRequest,
  type SearchRun,
  type SearchSummary,
} from "@sluice/store";

import { ANSWER_MARKS, FOLLOW_MARKS, readBodies, readLines } from "./answer-reader.ts";
import { API_ERROR, fromApiError } from "./api-error.ts";
import type { Token } from "./context.ts";
import type { FollowEvent } from "./follow.ts";

/** A link that says nothing for this long is dead: heartbeats and progress come several times as often. */
const SILENCE_MS = 20_000;

const MAX_ERROR_BYTES = 64 * 1024;

const CONTENT_TYPES = /^application\/(json|x-ndjson|vnd\.sluice\.bodies)\b/;

/** The link failed, not the request: it may well work in a moment. */
export class LinkFailure extends Failure {}

/** A collector's API, as the commands use it. All errors are a Failure, or a SearchError as the store throws it. */
export class CollectorClient {
  readonly #url: URL;
  readonly #token: Token | undefined;

  constructor(url: URL, token: Token | undefined) {
    this.#url = url;
    this.#token = token;
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
      for await (const part of readLines(response, FOLLOW_MARKS)) {
        if (part.kind === "rows") {
          yield part;
        } else if (part.kind === "cursor") {
          yield { kind: "cursor", cursor: part.cursor, behind: part.behind };
        } else if (part.kind === "error") {
          throw fromApiError(part.error);
        }
      }
    } catch (error) {
      throw this.#linkFailure(error, signal);
    } finally {
      response.destroy();
    }
    throw this.#cut();
  }

  /** A JSON document of the API. `path` is relative to the collector's address: `v1/agents`. */
  async getJson(
    path: string,
    signal: AbortSignal = AbortSignal.timeout(SILENCE_MS),
  ): Promise<unknown> {
    return this.#json(await this.#get(path, signal));
  }

  /** Asks the collector to do something, and gives its JSON answer. */
  async postJson(path: string, body: unknown, signal: AbortSignal): Promise<unknown> {
    return this.#json(await this.#send("POST", path, signal, JSON.stringify(body)));
  }

  async *#answer(
    request: SearchRequest,
    signal: AbortSignal,
    onProgress: (progress: SearchProgress) => void,
  ): AsyncGenerator<Uint8Array, SearchSummary> {
    const response = await this.#get(`v1/query?${searchParameters(request)}`, signal);
    try {
      const parts =
        request.render === "bodies" ? readBodies(response) : readLines(response, ANSWER_MARKS);
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
      throw this.#linkFailure(error, signal);
    } finally {
      response.destroy();
    }
    throw this.#cut();
  }

  async #get(path: string, signal: AbortSignal): Promise<IncomingMessage> {
    return this.#send("GET", path, signal, undefined);
  }

  async #send(
    method: string,
    path: string,
    signal: AbortSignal,
    body: string | undefined,
  ): Promise<IncomingMessage> {
    const base = new URL(this.#url);
    base.pathname = base.pathname.replace(/\/*$/, "/");
    const url = new URL(path, base);
    const send = url.protocol === "https:" ? httpsRequest : httpRequest;
    const request = send(url, {
      method,
      signal,
      timeout: SILENCE_MS,
      headers: {
        Accept: "application/json, application/x-ndjson",
        ...(this.#token !== undefined && { Authorization: `Bearer ${this.#token.value}` }),
        ...(body !== undefined && { "Content-Type": "application/json" }),
      },
    });
    request.once("timeout", () => request.destroy(new Error("it has been silent for too long")));
    request.end(body);
    try {
      const [response] = (await once(request, "response")) as [IncomingMessage];
      if (response.statusCode !== 200) {
        throw await this.#refusal(response);
      }
      if (!CONTENT_TYPES.test(response.headers["content-type"] ?? "")) {
        response.destroy();
        throw this.#stranger();
      }
      return response;
    } catch (error) {
      throw this.#linkFailure(error, signal);
    }
  }

  async #json(response: IncomingMessage): Promise<unknown> {
    const chunks: Buffer[] = [];
    for await (const chunk of response) {
      chunks.push(chunk as Buffer);
    }
    try {
      return JSON.parse(Buffer.concat(chunks).toString("utf8"));
    } catch {
      throw this.#stranger();
    }
  }

  /** Why the collector refused, or that it is none. */
  async #refusal(response: IncomingMessage): Promise<Error> {
    let text = "";
    for await (const chunk of response) {
      text += String(chunk);
      if (text.length > MAX_ERROR_BYTES) {
        response.destroy();
        break;
      }
    }
    const error = API_ERROR.safeParse(parseJson(text));
    if (!error.success) {
      return this.#stranger();
    }
    if (error.data.code === "unauthenticated") {
      const { href } = this.#url;
      return this.#token === undefined
        ? new Failure(
            `the collector at ${href} wants a token`,
            "name its file with --token-file or SLUICE_TOKEN_FILE; the collector keeps it in data_dir/tokens/query.token",
          )
        : new Failure(
            `the collector at ${href} does not know the token from ${this.#token.origin}`,
            "take the one in its data_dir/tokens/query.token",
          );
    }
    return error.data.code === "not-ready" || error.data.code === "busy"
      ? new LinkFailure(error.data.message, error.data.advice)
      : fromApiError(error.data);
  }

  /** Errors of the link as a person reads them; others as they are. */
  #linkFailure(error: unknown, signal: AbortSignal): Error {
    if (signal.aborted) {
      return new SearchError("cancelled", "the search was cancelled");
    }
    if (error instanceof Failure || error instanceof SearchError) {
      return error;
    }
    const { code, message } = error as NodeJS.ErrnoException;
    const { href, hostname } = this.#url;
    const cause = { cause: error };
    switch (code) {
      case "ECONNREFUSED":
        return new LinkFailure(
          `no collector answers at ${href}`,
          "start it with `sluice serve`, name another with --collector URL, or read its folder with --data DIR",
          EXIT.failed,
          cause,
        );
      case "ENOTFOUND":
      case "EAI_AGAIN":
        return new LinkFailure(
          `${hostname} is not known as a host`,
          "check the name in --collector or in the context",
          EXIT.failed,
          cause,
        );
      case "ECONNRESET":
        return new LinkFailure(
          `the connection to ${href} was cut`,
          "ask again; the collector may have been restarted",
          EXIT.failed,
          cause,
        );
      case "HPE_INVALID_CONSTANT":
        return this.#stranger();
      default:
        return new LinkFailure(
          `the connection to ${href} failed: ${message}`,
          "check that the collector runs and can be reached from here",
          EXIT.failed,
          cause,
        );
    }
  }

  #stranger(): Failure {
    return new Failure(
      `what answers at ${this.#url.href} is not a Sluice collector`,
      "check the address and the port",
    );
  }

  #cut(): LinkFailure {
    return new LinkFailure(
      `the answer of ${this.#url.href} was cut off before its end`,
      "ask again; the collector's log may say why",
    );
  }
}

function searchParameters(request: SearchRequest): string {
  const { query, fromUs, untilUs, order, reverse, limit, afterId, render, deadlineMs } = request;
  return new URLSearchParams({
    q: query,
    ...(fromUs !== undefined && { since: formatTimeRfc3339(timeUs(fromUs)) }),
    ...(untilUs !== undefined && { until: formatTimeRfc3339(timeUs(untilUs)) }),
    ...(limit === undefined ? { all: "1" } : { n: String(limit) }),
    order,
    reverse: reverse ? "1" : "0",
    ...(afterId !== undefined && { after: afterId }),
    ...(render !== undefined && { render }),
    deadline: `${deadlineMs}ms`,
    progress: "1",
  }).toString();
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
