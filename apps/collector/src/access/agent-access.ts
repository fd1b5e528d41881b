import type { HelloMessage } from "@sluice/protocol";

import type { AccessGate, Grant, GrantEnd, Verdict } from "./access-gate.ts";
import type { AgentListAccess } from "../api/agent-list.ts";
import type { Keyring } from "./keyring.ts";
import { settleKey } from "./enrolment.ts";

/** Who an agent is to the store: by its key where it has one, by its own word where it shares a token. */
export interface AgentIdentity {
  readonly host: string;
  /** Those that its enrolment gave it; they win over the agent's own, also over its streams'. */
  readonly labels: Readonly<Record<string, string>>;
  /** The agent is to replace its key. */
  readonly rotate: boolean;
}

type Identification =
  | { readonly ok: true; readonly identity: AgentIdentity }
  | { readonly ok: false; readonly reason: string };

/** What the sockets of agents ask about those who connect. */
export interface AgentAccess {
  verify(authorization: string | undefined): Verdict;
  identify(grant: Grant, hello: HelloMessage): Promise<Identification>;
  /** Another live instance of this agent was refused. */
  cloneSeen(agentId: string): Promise<void>;
  /** Grants that end while they are in use. */
  watch(watcher: (end: GrantEnd) => void): void;
}

/**
 * An agent id that has a key is nobody else's: neither another agent's key nor a shared token can
 * send in its name. The collector's record decides the host name; the agent's own is only compared.
 */
export function agentAccess(
  gate: AccessGate,
  events: { renamed(agentId: string, said: string, host: string): void },
): AgentAccess {
  return {
    verify: (authorization) => gate.verify("ingest", authorization),
    identify: async (grant, hello) => {
      const { agentId, hostname } = hello;
      const record = gate.keyring.agent(agentId);
      if (grant.agentId === undefined) {
        if (gate.keyring.content.forgotten.includes(agentId)) {
          await gate.keyring.remember(agentId); // it is back
        }
        if (record !== undefined && record.revokedMs !== null) {
          return refuse("this agent was revoked");
        }
        return record === undefined
          ? { ok: true, identity: { host: hostname, labels: {}, rotate: false } }
          : refuse("this agent has a key of its own: token_file must name it");
      }
      if (grant.agentId !== agentId) {
        return refuse("the key is another agent's: enrol this one, or restore its own state_dir");
      }
      if (record === undefined || record.revokedMs !== null) {
        return refuse("the key of this agent was revoked");
      }
      const settled = settleKey(record, grant.keyHash);
      if (settled !== record) {
        await gate.keyring.changeAgent(agentId, (agent) => settleKey(agent, grant.keyHash));
      }
      if (hostname !== record.host) {
        events.renamed(agentId, hostname, record.host);
      }
      return {
        ok: true,
        identity: {
          host: record.host,
          labels: record.labels,
          rotate: settled.rotate,
        },
      };
    },
    cloneSeen: async (agentId) => {
      await gate.keyring.changeAgent(agentId, (agent, cloneSeenMs) => ({ ...agent, cloneSeenMs }));
    },
    watch: (watcher) => void gate.watch(watcher),
  };
}

/** What a list of agents shows of their keys. */
export function agentListAccess(keyring: Keyring): AgentListAccess {
  return {
    keyOf: (agentId) => {
      const agent = keyring.agent(agentId);
      return agent === undefined ? "shared" : agent.revokedMs === null ? "own" : "revoked";
    },
    isCloned: (agentId) => typeof keyring.agent(agentId)?.cloneSeenMs === "number",
    isForgotten: (agentId) => keyring.content.forgotten.includes(agentId),
  };
}

function refuse(reason: string): Identification {
  return { ok: false, reason };
}
