import { once } from "node:events";
import { type IncomingMessage, request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { EXIT, Failure } from "@sluice/service";
import { SearchError } from "@sluice/store";

import { API_ERROR, fromApiError } from "../api/api-error.ts";
import type { Token, Trust } from "./context.ts";
import { describeTlsError } from "./tls-error.ts";

/** A link that says nothing for this long is dead: heartbeats and progress come several times as often. */
const SILENCE_MS = 20_000;

const SILENT = "it has been silent for too long";

const MAX_ERROR_BYTES = 64 * 1024;

const CONTENT_TYPES = /^application\/(json|x-ndjson|vnd\.sluice\.bodies)\b/;

const NO_TRUST: Trust = { ca: undefined, caFile: undefined, serverName: undefined };

/** The link failed, not the request: it may well work in a moment. */
export class LinkFailure extends Failure {}

/** HTTP to one collector: requests with its token, and failures as a person reads them. */
export class ApiLink {
  readonly #url: URL;
  readonly #token: Token | undefined;
  readonly #trust: Trust;
  readonly #silenceMs: number;

  constructor(
    url: URL,
    token: Token | undefined,
    trust: Trust = NO_TRUST,
    silenceMs: number = SILENCE_MS,
  ) {
    this.#url = url;
    this.#token = token;
    this.#trust = trust;
    this.#silenceMs = silenceMs;
  }

  /** Sends a request and waits for the head of a good answer. */
  async send(
    method: string,
    path: string,
    signal: AbortSignal,
    body: string | undefined,
  ): Promise<IncomingMessage> {
    const base = new URL(this.#url);
    base.pathname = base.pathname.replace(/\/*$/, "/");
    const url = new URL(path, base);
    const send = url.protocol === "https:" ? httpsRequest : httpRequest;
    const { ca, serverName } = this.#trust;
    const request = send(url, {
      ...(ca !== undefined && { ca }),
      ...(serverName !== undefined && { servername: serverName }),
      method,
      signal,
      // Work may take as long as its caller allows; an answer that is only read begins at once.
      timeout: method === "GET" ? this.#silenceMs : 0,
      headers: {
        Accept: "application/json, application/x-ndjson",
        ...(this.#token !== undefined && { Authorization: `Bearer ${this.#token.value}` }),
        ...(body !== undefined && { "Content-Type": "application/json" }),
      },
    });
    request.once("timeout", () => request.destroy(new Error(SILENT)));
    request.end(body);
    try {
      const [response] = (await once(request, "response")) as [IncomingMessage];
      request.setTimeout(0); // from here on only what we wait for counts
      if (response.statusCode !== 200) {
        throw await this.#refusal(response);
      }
      if (!CONTENT_TYPES.test(response.headers["content-type"] ?? "")) {
        response.destroy();
        throw this.#stranger();
      }
      return response;
    } catch (error) {
      throw this.failure(error, signal);
    }
  }

  /** The chunks of an answer. The link's silence counts only while we listen: our own reader may take its time. */
  async *chunks(response: IncomingMessage): AsyncGenerator<Buffer> {
    const listen = (): NodeJS.Timeout =>
      setTimeout(() => response.destroy(new Error(SILENT)), this.#silenceMs);
    let timer = listen();
    try {
      for await (const chunk of response) {
        clearTimeout(timer);
        yield chunk as Buffer;
        timer = listen();
      }
    } finally {
      clearTimeout(timer);
    }
  }

  /** The JSON document that an answer is. */
  async json(response: IncomingMessage): Promise<unknown> {
    const chunks: Buffer[] = [];
    for await (const chunk of this.chunks(response)) {
      chunks.push(chunk);
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
    for await (const chunk of this.chunks(response)) {
      text += chunk.toString("utf8");
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
            `the collector at ${href} does not take the token from ${this.#token.origin}: ${error.data.message}`,
            error.data.advice,
          );
    }
    return error.data.code === "not-ready" || error.data.code === "busy"
      ? new LinkFailure(error.data.message, error.data.advice)
      : fromApiError(error.data);
  }

  /** Errors of the link as a person reads them; others as they are. */
  failure(error: unknown, signal: AbortSignal): Error {
    if (signal.aborted) {
      return new SearchError("cancelled", "the search was cancelled");
    }
    if (error instanceof Failure || error instanceof SearchError) {
      return error;
    }
    const { code, message } = error as NodeJS.ErrnoException;
    const { href, hostname } = this.#url;
    const cause = { cause: error };
    const ofTls = describeTlsError(code, this.#url, this.#trust.caFile);
    if (ofTls !== undefined) {
      return new Failure(ofTls.message, ofTls.advice, EXIT.failed, cause);
    }
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

  /** The link ended in good order, but the answer did not. */
  cut(): LinkFailure {
    return new LinkFailure(
      `the answer of ${this.#url.href} was cut off before its end`,
      "ask again; the collector's log may say why",
    );
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
