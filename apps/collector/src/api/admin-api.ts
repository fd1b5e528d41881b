import { parseDuration } from "@sluice/quantity";
import type { StoreReader } from "@sluice/store";
import { type Context, Hono, type MiddlewareHandler } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import * as z from "zod";

import { listGaps, listJobs, reportStats } from "./admin-report.ts";
import type { AgentDirectory } from "../ingest/agent-directory.ts";
import type { DiskGuard } from "../guard/disk-guard.ts";
import { describePause } from "../guard/guard-log.ts";
import { type AgentListAccess, listAgents } from "./agent-list.ts";
import { type ApiError, toApiError } from "./api-error.ts";
import { limitBody, refuseRepeated, shared } from "./request-limits.ts";
import type { BackupReport } from "../backup/backup-report.ts";
import type { DoctorReport } from "../doctor/doctor-report.ts";
import type { CompactReport } from "../compaction/compact-report.ts";
import { answerDelete, readDeleteRequest } from "../deletion/delete-request.ts";
import type { DeletionDesk } from "../deletion/deletion-desk.ts";
import { SYSTEM_CLOCKS } from "../retention/clock-watch.ts";
import { readVolume } from "../retention/inventory.ts";
import type { CollectorMetrics } from "../server/metrics.ts";
import type { RetentionJob } from "../retention/retention-job.ts";
import type { Permission } from "../access/access-gate.ts";
import { addressOf, type ApiDoor } from "../access/api-door.ts";

export interface AdminParts {
  readonly reader: StoreReader;
  readonly directory: AgentDirectory;
  readonly retention: RetentionJob;
  readonly guard: Pick<DiskGuard, "pause">;
  readonly compact: () => Promise<CompactReport>;
  readonly backup: (path: string) => Promise<BackupReport>;
  readonly doctor: (isDeep: boolean) => Promise<DoctorReport>;
  readonly deletion: DeletionDesk;
  readonly metrics: CollectorMetrics;
  readonly agentAccess: AgentListAccess;
  readonly door: Pick<ApiDoor, "refuse">;
  readonly dataDir: string;
  readonly events: {
    /** What a client was only told as "internal". */
    failed(error: unknown): void;
  };
}

const PATHS: Readonly<Record<string, Permission>> = {
  "/v1/agents": "query",
  "/v1/gaps": "query",
  "/v1/jobs": "query",
  "/v1/stats": "query",
  "/v1/retention/plan": "query",
  "/v1/prune": "maintain",
  "/v1/compact": "maintain",
  "/v1/backup": "maintain",
  "/v1/doctor": "query",
  "/v1/delete": "maintain",
  "/metrics": "query",
};

const METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** Well below the time after which a client takes a silent link for a dead one. */
const PATIENCE_MS = 5_000;

const BACKUP_REQUEST = z.strictObject({ dir: z.string().min(1) });
const PRUNE_REQUEST = z.strictObject({ confirmClock: z.boolean().default(false) });

/**
 * What an operator asks a running collector, and what they tell it: agents, gaps, jobs, stats, the
 * retention plan, a prune, a compaction, a delete, a backup and doctor under `/v1`, and `/metrics`. All of
 * it needs a token that may query, and one that may change what is stored where it does; whatever changes something refuses a browser's cross-site request by its Origin.
 */
export function adminApi(parts: AdminParts): Hono {
  const { reader, directory, retention, guard, metrics, door, dataDir, events } = parts;
  const app = new Hono();
  for (const [path, permission] of Object.entries(PATHS)) {
    app.use(path, authenticate(door, permission), refuseWebPages, refuseRepeated, limitBody);
  }
  app.get("/v1/agents", (context) => {
    const text = context.req.query("silent");
    const silent = text === undefined ? undefined : parseDuration(text);
    if (silent?.ok === false) {
      return refuse(context, 400, {
        code: "parameter-invalid",
        message: `silent: ${silent.error}`,
        advice: "give silent a duration such as 10m",
      });
    }
    const silence = silent && { nowUs: SYSTEM_CLOCKS.wallUs(), forMs: silent.value };
    return context.json(listAgents(reader, directory.presence(), silence, parts.agentAccess));
  });
  app.get("/v1/gaps", (context) => context.json(listGaps(reader)));
  app.get("/v1/jobs", (context) => context.json(listJobs(reader)));
  app.get("/v1/stats", async (context) =>
    context.json(
      reportStats(reader, {
        connectedAgents: directory.connections,
        volume: await readVolume(dataDir),
        clockSuspect: retention.suspension?.reason,
        ingestPaused: guard.pause && describePause(guard.pause),
      }),
    ),
  );
  app.get("/v1/retention/plan", async (context) => context.json(await retention.plan()));
  app.post("/v1/prune", async (context) => {
    const body = await context.req.text();
    const request = PRUNE_REQUEST.safeParse(body === "" ? {} : parseJson(body));
    if (!request.success) {
      return refuse(context, 400, {
        code: "parameter-invalid",
        message: "this is not a prune request",
        advice: 'send nothing, or {"confirmClock": true}',
      });
    }
    if (request.data.confirmClock) {
      await retention.confirmClock();
    }
    return patientJson(retention.prune(), (error) => events.failed(error));
  });
  app.post("/v1/compact", () => patientJson(parts.compact(), (error) => events.failed(error)));
  app.post("/v1/backup", async (context) => {
    const request = BACKUP_REQUEST.safeParse(parseJson(await context.req.text()));
    return request.success
      ? patientJson(parts.backup(request.data.dir), (error) => events.failed(error))
      : refuse(context, 400, {
          code: "parameter-invalid",
          message: "this is not a backup request",
          advice: 'send {"dir": "/an/absolute/path"}',
        });
  });
  const doctor = shared(parts.doctor);
  app.get("/v1/doctor", (context) =>
    patientJson(doctor(context.req.query("deep") === "1"), (error) => events.failed(error)),
  );
  app.post("/v1/delete", async (context) => {
    const body = parseJson(await context.req.text());
    const request = readDeleteRequest(body, SYSTEM_CLOCKS.wallUs());
    if (!request.ok) {
      return refuse(context, 400, request.error);
    }
    const gone = new AbortController();
    const answer = answerDelete(parts.deletion, request.value, gone.signal);
    return patientJson(answer, (error) => events.failed(error), gone);
  });
  app.get("/metrics", async (context) =>
    context.text(await metrics.render(), 200, { "Content-Type": METRICS_TYPE }),
  );
  app.onError((error, context) => {
    events.failed(error);
    return refuse(context, 500, toApiError(error));
  });
  return app;
}

function authenticate(door: Pick<ApiDoor, "refuse">, permission: Permission): MiddlewareHandler {
  return async (context, next) => {
    const authorization = context.req.header("authorization");
    const refusal = door.refuse(permission, authorization, addressOf(context));
    if (refusal === undefined) {
      return next();
    }
    context.header("WWW-Authenticate", 'Bearer realm="sluice"');
    return refuse(context, refusal.status, refusal.error);
  };
}

const refuseWebPages: MiddlewareHandler = async (context, next) => {
  const { method } = context.req;
  return method === "GET" || method === "HEAD" || context.req.header("origin") === undefined
    ? next()
    : refuse(context, 403, {
        code: "origin-forbidden",
        message: "a request that changes something must not come from a web page",
        advice: "send it without an Origin header",
      });
};

function refuse(context: Context, status: ContentfulStatusCode, error: ApiError): Response {
  return context.json(error, status);
}

/**
 * A JSON answer that may take minutes: white space, which JSON allows in front, keeps the link from
 * looking dead. A failure is told in the body, since the status has left by then.
 *
 * @param gone is aborted when nobody waits for the answer any more
 */
function patientJson(
  result: Promise<unknown>,
  failed: (error: unknown) => void,
  gone?: AbortController,
): Response {
  const space = Buffer.from(" ");
  let timer: NodeJS.Timeout | undefined;
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      timer = setInterval(() => controller.enqueue(space), PATIENCE_MS);
      const end = (value: unknown): void => {
        if (timer !== undefined) {
          clearInterval(timer);
          controller.enqueue(Buffer.from(JSON.stringify(value)));
          controller.close();
        }
      };
      result.then(end, (error: unknown) => {
        failed(error);
        end(toApiError(error));
      });
    },
    cancel() {
      clearInterval(timer);
      timer = undefined;
      gone?.abort();
    },
  });
  return new Response(body, { headers: { "Content-Type": "application/json" } });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
