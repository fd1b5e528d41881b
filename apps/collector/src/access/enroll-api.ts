import type { HttpBindings } from "@hono/node-server";
import { LIMITS } from "@sluice/protocol";
import { type Context, Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import * as z from "zod";

import { type ApiError, toApiError } from "../api/api-error.ts";
import type { AccessGate } from "./access-gate.ts";
import { bearerOf } from "./credential.ts";
import { addKey, enrol, type EnrolmentOutcome } from "./enrolment.ts";
import type { FailedAttempts } from "./failed-attempts.ts";

export interface EnrollParts {
  readonly gate: AccessGate;
  readonly failures: FailedAttempts;
  /** Whether an agent of this id is connected. */
  readonly isLive: (agentId: string) => boolean;
  readonly events: {
    enrolled(agent: { readonly agentId: string; readonly host: string }, address: string): void;
    refused(address: string, reason: string): void;
    failed(error: unknown): void;
  };
}

const MAX_BODY_BYTES = 16 * 1024;

const hash = z.string().regex(/^[0-9a-f]{64}$/);
const ENROLMENT = z.object({
  agentId: z.uuid().regex(/^[0-9a-f-]*$/),
  host: z
    .string()
    .min(1)
    .max(LIMITS.nameBytes)
    .refine((text) => text.isWellFormed() && !/\p{Cc}/u.test(text)),
  keyHash: hash,
});
const ROTATION = z.object({ keyHash: hash });

type Env = { Bindings: HttpBindings };

const BAD_REQUEST: ApiError = {
  code: "parameter-invalid",
  message: "this is not an enrolment",
  advice: "use the sluice-agent of the collector's own version",
};

const SHARED: ApiError = {
  code: "unauthenticated",
  message: "this token is shared, and no agent's own",
  advice: "enrol the host: `sluice enroll new` on the collector",
};

/**
 * What agents ask before and between connections: `POST /enroll` exchanges an enrolment token for
 * the right to use a key, `GET /enroll` says whose a key is, `POST /rotate` adds a key beside the one in use. Keys are made by the
 * agent; only their SHA-256 travels.
 */
export function enrollApi({ gate, failures, isLive, events }: EnrollParts): Hono<Env> {
  const app = new Hono<Env>();
  for (const path of ["/enroll", "/rotate"]) {
    app.use(
      path,
      bodyLimit({
        maxSize: MAX_BODY_BYTES,
        onError: (context) => refuse(context, 413, BAD_REQUEST),
      }),
    );
  }

  /** A good token always passes; of a bad one the reason is told ten times a minute. */
  const fail = (context: Context<Env>, status: ContentfulStatusCode, error: ApiError): Response => {
    const address = addressOf(context);
    events.refused(address, error.message);
    if (status !== 401) {
      return refuse(context, status, error);
    }
    if (failures.isBarred(address)) {
      return refuse(context, 429, {
        code: "too-many-failures",
        message: "too many failed authentications from this address",
        advice: "mend the token and wait a minute",
      });
    }
    failures.count(address);
    context.header("WWW-Authenticate", 'Bearer realm="sluice"');
    return refuse(context, status, error);
  };

  app.post("/enroll", async (context) => {
    const secret = bearerOf(context.req.header("authorization"));
    const holder = secret === undefined ? undefined : gate.keyring.holderOf(secret);
    if (holder?.kind !== "enrolment") {
      return fail(context, 401, {
        code: "enrolment-unknown",
        message: "the enrolment token is not known here",
        advice: "take the whole line that `sluice enroll new` has printed on this collector",
      });
    }
    const request = ENROLMENT.safeParse(parseJson(await context.req.text()));
    if (!request.success) {
      return fail(context, 400, BAD_REQUEST);
    }
    const { id } = holder.enrolment;
    const outcome = await gate.keyring.change<EnrolmentOutcome | undefined>((content, nowMs) => {
      const enrolment = content.enrolments.find((each) => each.id === id);
      const live = { isLive: isLive(request.data.agentId), nowMs };
      return enrolment === undefined
        ? { content, result: undefined }
        : enrol(content, enrolment, request.data, live);
    });
    if (outcome?.kind !== "enrolled") {
      const { status, ...error } = outcome?.refusal ?? { status: 401 as const, ...BAD_REQUEST };
      return fail(context, status, error);
    }
    const { agentId, host, labels } = outcome.agent;
    if (outcome.isNew) {
      events.enrolled({ agentId, host }, addressOf(context));
    }
    return context.json({ agentId, host, labels });
  });

  app.get("/enroll", (context) => {
    const verdict = gate.verify("ingest", context.req.header("authorization"));
    const { agentId } = verdict.ok ? verdict.grant : {};
    const agent = agentId === undefined ? undefined : gate.keyring.agent(agentId);
    return agent === undefined
      ? fail(context, 401, verdict.ok ? SHARED : verdict.denial)
      : context.json({ agentId: agent.agentId, host: agent.host, labels: agent.labels });
  });

  app.post("/rotate", async (context) => {
    const verdict = gate.verify("ingest", context.req.header("authorization"));
    if (!verdict.ok) {
      return fail(context, 401, verdict.denial);
    }
    const { agentId, keyHash: current } = verdict.grant;
    const request = ROTATION.safeParse(parseJson(await context.req.text()));
    const taken = request.success && gate.keyring.isKnownHash(request.data.keyHash, agentId);
    if (agentId === undefined || !request.success || taken) {
      return fail(context, 400, BAD_REQUEST);
    }
    const { keyHash } = request.data;
    await gate.keyring.changeAgent(agentId, (agent, nowMs) =>
      keyHash === current || agent.keys.at(-1)?.hash === keyHash
        ? agent
        : addKey(agent, current, keyHash, nowMs),
    );
    return context.json({ agentId });
  });

  app.onError((error, context) => {
    events.failed(error);
    return refuse(context, 500, toApiError(error));
  });
  return app;
}

function addressOf(context: Context<Env>): string {
  return context.env.incoming.socket.remoteAddress ?? "unknown";
}

function refuse(context: Context, status: ContentfulStatusCode, error: ApiError): Response {
  return context.json(error, status);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
