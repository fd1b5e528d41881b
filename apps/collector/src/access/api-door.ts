import type { HttpBindings } from "@hono/node-server";

import type { ApiError } from "../api/api-error.ts";
import type { AccessGate, Permission } from "./access-gate.ts";
import type { FailedAttempts } from "./failed-attempts.ts";

/** A request that is not let in: the status, and what its sender is told. */
interface DoorRefusal {
  readonly status: 401 | 403 | 429;
  readonly error: ApiError;
}

/** Decides about requests to the API. */
export interface ApiDoor {
  /** Undefined for a request that is let in. */
  refuse(
    permission: Permission,
    authorization: string | undefined,
    address: string,
  ): DoorRefusal | undefined;
  /** Calls back when what let a request in ends before its answer does; returns how to stop that. */
  whenEnded(authorization: string | undefined, ended: () => void): () => void;
}

/** A good token always passes: clients behind one address do not pay for each other's mistakes. */
export function apiDoor(gate: AccessGate, failures: FailedAttempts): ApiDoor {
  return {
    refuse: (permission, authorization, address) => {
      const verdict = gate.verify(permission, authorization);
      if (verdict.ok) {
        return undefined;
      }
      if (verdict.denial.code === "forbidden") {
        return { status: 403, error: verdict.denial };
      }
      // Who has no token yet is not guessing.
      if (authorization === undefined) {
        return { status: 401, error: verdict.denial };
      }
      if (failures.isBarred(address)) {
        return { status: 429, error: TOO_MANY };
      }
      failures.count(address);
      return { status: 401, error: verdict.denial };
    },
    whenEnded: (authorization, ended) => {
      const verdict = gate.verify("query", authorization);
      return verdict.ok
        ? gate.watch(({ isMeant }) => {
            if (isMeant({ grant: verdict.grant, agentId: "" })) {
              ended();
            }
          })
        : () => undefined;
    },
  };
}

const TOO_MANY: ApiError = {
  code: "too-many-failures",
  message: "too many failed authentications from this address",
  advice: "mend the token and wait a minute",
};

/** The address of the peer; undefined bindings are a test's, which has no socket. */
export function addressOf({ env }: { readonly env: unknown }): string {
  const { incoming } = (env ?? {}) as Partial<HttpBindings>;
  return incoming?.socket.remoteAddress ?? "unknown";
}
