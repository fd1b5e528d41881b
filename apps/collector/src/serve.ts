import { createLog, EXIT, Failure } from "@sluice/config";
import { Store, StoreError } from "@sluice/store";
import { Hono } from "hono";

import { AgentDirectory } from "./agent-directory.ts";
import { isLoopback } from "./config.ts";
import { Ingest } from "./ingest.ts";
import { createHttpServer, listen } from "./server.ts";
import type { CollectorSettings } from "./settings.ts";
import { Tokens } from "./tokens.ts";

/** SIGTERM takes what has arrived within this time. */
const STOP_WITHIN_MS = 10_000;

/** Agents are asked to come back after this long when the collector restarts. */
const RETRY_AFTER_MS = 500;

export interface ServeOptions {
  readonly insecurePlaintext: boolean;
}

/** `sluice serve`: the collector in the foreground. */
export async function serve(settings: CollectorSettings, options: ServeOptions): Promise<void> {
  const log = createLog(process.stderr.isTTY === true);
  if (!isLoopback(settings.listen.host)) {
    if (!options.insecurePlaintext) {
      throw new Failure(
        `refusing to listen on ${settings.listen.host} in plain text: tokens and logs could be read on the way`,
        "listen on 127.0.0.1 (behind a TLS proxy or a tunnel), or accept it with --insecure-plaintext",
        EXIT.config,
      );
    }
    log.warn({ listen: settings.listen.host }, "INSECURE: tokens and logs travel in plain text");
  }
  const failed = Promise.withResolvers<StoreError>();
  let ingest: Ingest | undefined;
  const store = await Store.open(settings.dataDir, {
    committed: (report) => ingest?.committed(report),
    failed: (error) => failed.resolve(error),
  });
  const tokens = await Tokens.load(settings.dataDir);
  const directory = new AgentDirectory();
  ingest = new Ingest({
    store,
    directory,
    tokens,
    onRefused: (address, reason) => log.warn({ address }, `refused a connection: ${reason}`),
    onError: (error) => log.error({ err: error }, "serving an agent failed"),
  });
  const app = new Hono();
  app.get("/healthz", (context) => context.text("ok\n"));
  const server = createHttpServer(app);
  ingest.attach(server);
  const address = await listen(server, settings.listen);
  log.info({ listen: `${address.address}:${address.port}`, dataDir: settings.dataDir }, "ready");

  const outcome = await Promise.race([stopSignal(), failed.promise]);
  if (outcome instanceof StoreError) {
    log.fatal({ code: outcome.code, advice: outcome.advice }, outcome.message);
    process.exit(EXIT.failed);
  }
  log.info({ signal: outcome }, "stopping");
  const deadline = setTimeout(() => process.exit(EXIT.failed), STOP_WITHIN_MS);
  process.once("SIGINT", () => process.exit(EXIT.failed));
  process.once("SIGTERM", () => process.exit(EXIT.failed));
  ingest.goAway(RETRY_AFTER_MS);
  server.close();
  server.closeAllConnections();
  await store[Symbol.asyncDispose]();
  clearTimeout(deadline);
  log.info("stopped");
}

function stopSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    process.once("SIGINT", resolve);
    process.once("SIGTERM", resolve);
  });
}
