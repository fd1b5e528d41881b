import { EXIT, Failure } from "@sluice/service";
import type * as z from "zod";

import {
  ACCESS_CHANGE,
  type AccessChange,
  type EnrolmentWish,
  MINTED_ENROLMENT,
  MINTED_TOKEN,
  type MintedEnrolment,
  type MintedToken,
  TOKEN_LIST,
  type TokenEntry,
  type TokenRequest,
} from "../access/access-report.ts";
import { CollectorClient } from "./api-client.ts";
import { resolveTarget, type TargetOptions } from "./context.ts";

const PATIENCE_MS = 20_000;

/** Who may do what, asked of a running collector: it alone writes its keys. */
export class AccessSource {
  readonly #client: Pick<CollectorClient, "getJson" | "postJson">;

  constructor(client: Pick<CollectorClient, "getJson" | "postJson">) {
    this.#client = client;
  }

  tokens(): Promise<TokenEntry[]> {
    return this.#client.getJson("v1/tokens").then((answer) => read(TOKEN_LIST, answer));
  }

  mintToken(request: TokenRequest): Promise<MintedToken> {
    return this.#post(MINTED_TOKEN, "v1/tokens", request);
  }

  revokeToken(id: string): Promise<AccessChange> {
    return this.#post(ACCESS_CHANGE, "v1/tokens/revoke", { id });
  }

  rotateToken(id: string, overlapMs: number): Promise<MintedToken> {
    return this.#post(MINTED_TOKEN, "v1/tokens/rotate", { id, overlapMs });
  }

  mintEnrolment(wish: EnrolmentWish): Promise<MintedEnrolment> {
    return this.#post(MINTED_ENROLMENT, "v1/enrolments", wish);
  }

  changeAgent(action: "revoke" | "forget" | "rotate", id: string): Promise<AccessChange> {
    return this.#post(ACCESS_CHANGE, `v1/agents/${action}`, { id });
  }

  renameAgent(id: string, host: string): Promise<AccessChange> {
    return this.#post(ACCESS_CHANGE, "v1/agents/rename", { id, host });
  }

  async #post<T>(schema: z.ZodType<T>, path: string, body: unknown): Promise<T> {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    return read(schema, await this.#client.postJson(path, body, signal));
  }
}

/** @throws Failure where the target cannot be made out */
export async function openAccessSource(
  options: TargetOptions,
  env: Readonly<Record<string, string | undefined>>,
): Promise<AccessSource> {
  const target = await resolveTarget(options, env);
  if (target.kind === "data") {
    throw new Failure(
      "only a running collector changes who may do what",
      "leave --data out; start it first where it is stopped",
      EXIT.usage,
    );
  }
  return new AccessSource(new CollectorClient(target.url, target.token, target.trust));
}

function read<T>(schema: z.ZodType<T>, answer: unknown): T {
  const parsed = schema.safeParse(answer);
  if (!parsed.success) {
    throw new Failure(
      "the collector's answer is not one that this version of sluice understands",
      "use the sluice of the collector's own version",
      EXIT.failed,
      { cause: parsed.error },
    );
  }
  return parsed.data;
}
