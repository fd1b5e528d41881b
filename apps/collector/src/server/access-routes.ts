import type { Log } from "@sluice/service";
import type { StoreReader } from "@sluice/store";
import { EXIT, Failure } from "@sluice/service";
import type { Hono } from "hono";

import { accessApi } from "../access/access-api.ts";
import { AccessDesk } from "../access/access-desk.ts";
import type { AccessGate } from "../access/access-gate.ts";
import type { ApiDoor } from "../access/api-door.ts";
import { enrollApi } from "../access/enroll-api.ts";
import type { FailedAttempts } from "../access/failed-attempts.ts";
import type { AgentDirectory } from "../ingest/agent-directory.ts";
import type { Ingest } from "../ingest/ingest.ts";
import { installApi } from "../install/install-api.ts";
import { Products } from "../install/products.ts";
import type { CollectorSettings } from "../settings.ts";
import { publicUrl, type ReachFacts } from "./reach.ts";

export interface AccessRouteParts {
  readonly settings: CollectorSettings;
  readonly log: Log;
  readonly gate: AccessGate;
  readonly failures: FailedAttempts;
  readonly door: ApiDoor;
  readonly ingest: Ingest;
  readonly directory: AgentDirectory;
  readonly reader: StoreReader;
  readonly reachFacts: () => ReachFacts;
  readonly ca: () => string | undefined;
  readonly failed: (error: unknown) => void;
}

/** Puts onto the app what lets hosts and people in: installation, enrolment, tokens and keys. */
export function routeAccess(app: Hono, parts: AccessRouteParts): void {
  const { settings, log, gate, failures, door, ingest, directory, reader, failed } = parts;
  const url = (): string | undefined => publicUrl(parts.reachFacts());
  const products = new Products(settings.productsDir);
  app.route("/", installApi({ products, url, ca: parts.ca }));
  app.route(
    "/",
    enrollApi({
      gate,
      failures,
      isLive: (agentId) => directory.isConnected(agentId),
      events: {
        enrolled: (agent, address) => log.info({ ...agent, address }, "enrolled an agent"),
        refused: (address, reason) => log.warn({ address }, `refused an enrolment: ${reason}`),
        failed,
      },
    }),
  );
  app.route(
    "/",
    accessApi({
      desk: new AccessDesk({
        gate,
        dataDir: settings.dataDir,
        connectionsOf: (isMeant) => ingest.count(isMeant),
        askToRotate: (agentId) => ingest.askToRotate(agentId),
        knownAgents: () => reader.agents(),
      }),
      door,
      reach: (wanted) => {
        const reached = wanted ?? url();
        if (reached === undefined) {
          throw new Failure(
            "this collector does not know by what name hosts reach it",
            "say it with --url https://NAME:7514, or set public_url in collector.yaml",
            EXIT.failed,
          );
        }
        return { url: reached.replace(/\/+$/, ""), ca: parts.ca() ?? null };
      },
      products,
      events: { changed: (what, fields) => log.info(fields, what), failed },
    }),
  );
}
