import { createServer, type RequestListener, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { TlsOptions } from "node:tls";
import type { AddressInfo } from "node:net";
import { getRequestListener } from "@hono/node-server";
import { EXIT, Failure, type ListenAddress } from "@sluice/service";
import { LIMITS } from "@sluice/protocol";
import type { Hono } from "hono";

/** Node looks for connections past their time each 30 s: silent ones could fill every place. */
const TIMEOUT_CHECK_MS = 1_000;

/** The collector's one port: agents by upgrade, everything else by `app`; without `tls` in plain text. */
export function createHttpServer(app: Hono, tls?: TlsOptions): Server {
  const answer = getRequestListener(app.fetch);
  const options = {
    maxHeaderSize: LIMITS.headersBytes,
    headersTimeout: LIMITS.handshakeTimeoutMs,
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
  server.maxConnections = LIMITS.connectionsTotal;
  server.maxHeadersCount = LIMITS.headersCount;
  return server;
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
