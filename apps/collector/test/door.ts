import type { Denial, Permission } from "../src/access/access-gate.ts";
import type { AgentAccess } from "../src/access/agent-access.ts";
import type { ApiDoor } from "../src/access/api-door.ts";

const DENIAL: Denial = {
  code: "unauthenticated",
  message: "the token is not known here",
  advice: "send a good one",
};

/** An API that lets `Bearer good` in, for these permissions alone. */
export function doorFor(...permissions: readonly Permission[]): ApiDoor {
  return {
    refuse: (permission, authorization) =>
      authorization === "Bearer good" && permissions.includes(permission)
        ? undefined
        : { status: 401, error: DENIAL },
    whenEnded: () => () => undefined,
  };
}

/** Agents share one token, or none is let in. */
export function sharedAccess(isOpen: boolean): AgentAccess {
  const grant = {
    id: "ingest.token",
    permissions: new Set(["ingest"] as const),
    agentId: undefined,
    keyHash: "",
  };
  return {
    verify: () => (isOpen ? { ok: true, grant } : { ok: false, denial: DENIAL }),
    identify: (_, { hostname }) =>
      Promise.resolve({ ok: true, identity: { host: hostname, labels: {}, rotate: false } }),
    cloneSeen: () => Promise.resolve(),
    watch: () => undefined,
  };
}
