import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { formatListen, type ListenAddress, type Log } from "@sluice/service";

import type { AgentStatus } from "../status/status-document.ts";
import { renderStatus } from "./agent-metrics.ts";

/** A scraper or two, and a monitor. */
const MOST_CONNECTIONS = 16;
/** A request of ours is one line and a few headers. */
const REQUEST_TIMEOUT_MS = 5_000;
const MOST_HEADER_BYTES = 8 * 1024;

/** Serves `/metrics` and `/healthz`, where the configuration names an address for them. */
export class MetricsServer implements AsyncDisposable {
  readonly #status: () => AgentStatus;
  readonly #log: Pick<Log, "info" | "warn">;
  #server: Server | undefined;
  #address: string | undefined;

  constructor(status: () => AgentStatus, log: Pick<Log, "info" | "warn">) {
    this.#status = status;
    this.#log = log;
  }

  /** Moves to another address, or to none. An address that cannot be had is logged: the agent ships without. */
  async listen(address: ListenAddress | undefined): Promise<void> {
    const wanted = address && formatListen(address);
    if (wanted === this.#address) {
      return;
    }
    await this.#close();
    if (address === undefined) {
      return;
    }
    const server = createServer(
      { maxHeaderSize: MOST_HEADER_BYTES, requestTimeout: REQUEST_TIMEOUT_MS },
      (request, response) => this.#answer(request, response),
    );
    server.maxConnections = MOST_CONNECTIONS;
    try {
      await new Promise<void>((resolve, reject) => {
        server.once("error", reject);
        server.listen(address.port, address.host, resolve);
      });
    } catch (err) {
      this.#log.warn({ err, listen: wanted }, "metrics are not served: the address cannot be had");
      return;
    }
    server.unref();
    this.#server = server;
    this.#address = wanted;
    const bound = server.address();
    const port = typeof bound === "object" && bound !== null ? bound.port : address.port;
    this.#log.info({ listen: formatListen({ host: address.host, port }) }, "metrics are served");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close();
  }

  #answer({ method, url }: IncomingMessage, response: ServerResponse): void {
    const path = url?.split("?")[0];
    if (method !== "GET" && method !== "HEAD") {
      response.writeHead(405, { allow: "GET, HEAD" }).end();
    } else if (path === "/metrics") {
      const type = "text/plain; version=0.0.4; charset=utf-8";
      response.writeHead(200, { "content-type": type }).end(renderStatus(this.#status()));
    } else if (path === "/healthz") {
      response.writeHead(200, { "content-type": "text/plain" }).end("ok\n");
    } else {
      response.writeHead(404).end();
    }
  }

  async #close(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    this.#address = undefined;
    if (server !== undefined) {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    }
  }
}
