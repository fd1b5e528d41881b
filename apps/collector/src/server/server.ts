import { createServer, type RequestListener, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { TlsOptions } from "node:tls";
import type { AddressInfo } from "node:net";
import { getRequestListener, type HttpBindings } from "@hono/node-server";
import { EXIT, Failure, type ListenAddress } from "@sluice/service";
import { HTTP_STATUSES, LIMITS } from "@sluice/protocol";
import type { Hono } from "hono";

import { refuse } from "../api/refusal.ts";
import type { ConnectionGate } from "./connection-gate.ts";
import { hasTooManyHeaders, TOO_MANY_HEADERS } from "./request-headers.ts";

/** Node looks for connections past their time each 30 s: silent ones could fill every place. */
const TIMEOUT_CHECK_MS = 1_000;

/** Requests are small: whoever takes longer than this to send one is holding a place. */
const REQUEST_WITHIN_MS = 30_000;

/** Answers after which a connection still has not shown a token. */
const NOT_KNOWN: ReadonlySet<number> = new Set([401, 403, 429]);

type FetchCallback = Parameters<typeof getRequestListener>[0];

/** The collector's one port: agents by upgrade, everything else by `app`; without `tls` in plain text. */
export function createHttpServer(app: Hono, gate: ConnectionGate, tls?: TlsOptions): Server {
  const answer = getRequestListener(guarded(app, gate));
  const options = {
    maxHeaderSize: LIMITS.headersBytes,
    headersTimeout: LIMITS.handshakeTimeoutMs,
    requestTimeout: REQUEST_WITHIN_MS,
    connectionsCheckingInterval: TIMEOUT_CHECK_MS,
  };
  // It answers failures of the app itself, and never rejects.
  const handle: RequestListener = (request, response) => void answer(request, response);
  const server =
    tls === undefined
      ? createServer(options, handle)
      : createTlsServer(
          { ...options, handshakeTimeout: LIMITS.handshakeTimeoutMs, ...tls },
          handle,
        );
  // Beyond the limit they are told so, as long as there is a place to be told.
  server.maxConnections = LIMITS.connectionsTotal + LIMITS.connectionsUnauthenticated;
  server.maxHeadersCount = 0; // they are counted, not left out
  gate.attach(server);
  return server;
}

/** Refuses what the port has no room for before `app` looks at it, and tells the gate who is known. */
function guarded(app: Hono, gate: ConnectionGate): FetchCallback {
  return async (request, env) => {
    const { incoming } = env as HttpBindings;
    if (hasTooManyHeaders(incoming)) {
      return refuse(HTTP_STATUSES.headersTooLarge, {
        code: "headers-too-large",
        message: TOO_MANY_HEADERS,
        advice: "send fewer; a proxy in between may add some",
      });
    }
    if (gate.isCrowded(incoming)) {
      return refuse(HTTP_STATUSES.unavailable, {
        code: "busy",
        message: "too many connections",
        advice: "close some, or ask again later",
      });
    }
    const response = await app.fetch(request, env);
    if (needsToken(incoming.url ?? "") && !NOT_KNOWN.has(response.status)) {
      gate.authenticated(incoming);
    }
    return response;
  };
}

function needsToken(path: string): boolean {
  return path.startsWith("/v1/") || path.startsWith("/metrics");
}

/** @throws Failure where the port is taken or forbidden */
export async function listen(server: Server, address: ListenAddress): Promise<AddressInfo> {
  try {
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(address.port, address.host, () => {
        server.off("error", reject);
        resolve();
      });
    });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const place = `${address.host}:${address.port}`;
    if (code === "EADDRINUSE") {
      throw new Failure(
        `port ${address.port} on ${address.host} is taken`,
        "stop what listens there, or choose another address with --listen HOST:PORT",
        EXIT.failed,
        { cause: error },
      );
    }
    throw new Failure(
      `cannot listen on ${place}: ${message}`,
      "choose an address of this machine with --listen HOST:PORT",
      EXIT.failed,
      { cause: error },
    );
  }
  return server.address() as AddressInfo;
}
