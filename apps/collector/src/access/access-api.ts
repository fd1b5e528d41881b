import { type Context, Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import type * as z from "zod";

import { toApiError } from "../api/api-error.ts";
import { refuse } from "../api/refusal.ts";
import type { Products } from "../install/products.ts";
import type { AccessDesk } from "./access-desk.ts";
import {
  ENROLMENT_REQUEST,
  ID_REQUEST,
  type MintedEnrolment,
  RENAME_REQUEST,
  ROTATE_REQUEST,
  TOKEN_REQUEST,
} from "./access-report.ts";
import { addressOf, type ApiDoor } from "./api-door.ts";

export interface AccessApiParts {
  readonly desk: AccessDesk;
  readonly door: Pick<ApiDoor, "refuse">;
  /** Where agents reach the collector, and the authority that they are to trust. */
  readonly reach: (url: string | undefined) => Pick<MintedEnrolment, "url" | "ca">;
  readonly products: Pick<Products, "agentBuilds" | "dir">;
  readonly events: {
    /** Who may do what has changed: an operator reads it in the log, without any secret. */
    changed(what: string, fields: Readonly<Record<string, unknown>>): void;
    failed(error: unknown): void;
  };
}

const MAX_BODY_BYTES = 64 * 1024;

/**
 * Who may do what: tokens, enrolments, and the keys of agents. All of it needs scope admin. Answers
 * that hold a secret are for its caller alone and are not to be stored on the way.
 */
export function accessApi({ desk, door, reach, products, events }: AccessApiParts): Hono {
  const app = new Hono();

  /** One action: its permission, its body, and an entry in the log. */
  const post = <Schema extends z.ZodType>(
    path: string,
    schema: Schema,
    what: string,
    act: (request: z.output<Schema>) => Promise<object>,
    fieldsOf: (request: z.output<Schema>, answer: object) => Readonly<Record<string, unknown>>,
  ): void => {
    app.post(path, bodyLimit({ maxSize: MAX_BODY_BYTES }), async (context) => {
      const refusal = check(context);
      if (refusal !== undefined) {
        return refusal;
      }
      const request = schema.safeParse(parseJson(await context.req.text()));
      if (!request.success) {
        const [issue] = request.error.issues;
        return refuse(400, {
          code: "parameter-invalid",
          message: `${issue?.path.join(".") ?? ""}: ${issue?.message ?? "this is not such a request"}`,
          advice: "use the sluice of the collector's own version",
        });
      }
      const answer = await act(request.data);
      events.changed(what, fieldsOf(request.data, answer));
      context.header("Cache-Control", "no-store");
      return context.json(answer);
    });
  };

  const check = (context: Context): Response | undefined => {
    if (context.req.method !== "GET" && context.req.header("origin") !== undefined) {
      return refuse(403, {
        code: "origin-forbidden",
        message: "a request that changes something must not come from a web page",
        advice: "send it without an Origin header",
      });
    }
    const authorization = context.req.header("authorization");
    const refusal = door.refuse("admin", authorization, addressOf(context));
    return refusal && refuse(refusal.status, refusal.error);
  };

  app.get("/v1/tokens", (context) => check(context) ?? context.json(desk.tokens()));
  post("/v1/tokens", TOKEN_REQUEST, "minted a token", (request) => desk.mintToken(request), named);
  post("/v1/tokens/revoke", ID_REQUEST, "revoked a token", ({ id }) => desk.revokeToken(id), named);
  post(
    "/v1/tokens/rotate",
    ROTATE_REQUEST,
    "replaced a token",
    ({ id, overlapMs }) => desk.rotateToken(id, overlapMs),
    named,
  );
  post(
    "/v1/enrolments",
    ENROLMENT_REQUEST,
    "minted an enrolment",
    async (wish): Promise<MintedEnrolment> => {
      const place = reach(wish.url);
      const { enrolment, secret } = await desk.mintEnrolment(wish);
      const { id, expiresMs, uses, hosts, labels } = enrolment;
      const expires = new Date(expiresMs).toISOString();
      const builds = await products.agentBuilds();
      const offer = { builds, productsDir: products.dir };
      return { id, expires, uses, hosts, labels, token: secret, ...place, ...offer };
    },
    ({ uses, hosts, ttlMs }) => ({ uses, hosts, ttlMs }),
  );
  post(
    "/v1/agents/revoke",
    ID_REQUEST,
    "revoked an agent",
    ({ id }) => desk.revokeAgent(id),
    named,
  );
  post("/v1/agents/forget", ID_REQUEST, "forgot an agent", ({ id }) => desk.forgetAgent(id), named);
  post(
    "/v1/agents/rotate",
    ID_REQUEST,
    "asked an agent to replace its key",
    ({ id }) => desk.rotateAgent(id),
    named,
  );
  post(
    "/v1/agents/rename",
    RENAME_REQUEST,
    "renamed an agent",
    ({ id, host }) => desk.renameAgent(id, host),
    named,
  );

  app.onError((error) => {
    const said = toApiError(error);
    if (said.code === "internal") {
      events.failed(error);
    }
    return refuse(said.code === "refused" ? 409 : 500, said);
  });
  return app;
}

/** Of an answer, what a log may hold. */
function named(_: unknown, answer: object): Readonly<Record<string, unknown>> {
  const { id, name } = answer as { readonly id: string; readonly name: string };
  return { id, name };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
