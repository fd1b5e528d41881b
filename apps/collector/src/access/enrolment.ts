import { compileNameGlob } from "@sluice/quantity";

import type { AgentRecord, EnrolmentRecord, KeyFile } from "./key-file.ts";

/** What an agent sends beside its token: never its key, only the key's hash. */
export interface EnrolmentRequest {
  readonly agentId: string;
  readonly host: string;
  readonly keyHash: string;
}

interface EnrolmentRefusal {
  readonly status: 401 | 403 | 409;
  readonly code: string;
  readonly message: string;
  readonly advice: string;
}

export type EnrolmentOutcome =
  | { readonly kind: "enrolled"; readonly agent: AgentRecord; readonly isNew: boolean }
  | { readonly kind: "refused"; readonly refusal: EnrolmentRefusal };

const NEW_LINE = "make a new line for this host: `sluice enroll new` on the collector";

/**
 * Exchanges an enrolment token for the right to use a key. The same agent with the same key may ask
 * again, after an answer that was lost: it uses nothing up.
 *
 * @param isLive whether an agent of this id is connected now
 */
export function enrol(
  content: KeyFile,
  enrolment: EnrolmentRecord,
  request: EnrolmentRequest,
  { isLive, nowMs }: { readonly isLive: boolean; readonly nowMs: number },
): { readonly content: KeyFile; readonly result: EnrolmentOutcome } {
  const { agentId, host, keyHash } = request;
  const known = content.agents.find((agent) => agent.agentId === agentId);
  const asked = enrolment.usedBy.some((use) => use.agentId === agentId && use.keyHash === keyHash);
  if (asked && known?.revokedMs === null && known.keys.some(({ hash }) => hash === keyHash)) {
    return { content, result: { kind: "enrolled", agent: known, isNew: false } };
  }
  const refusal =
    refuseToken(enrolment, nowMs) ??
    refuseHost(enrolment, host) ??
    refuseAgent(known, isLive) ??
    refuseKey(content, keyHash);
  if (refusal !== undefined) {
    return { content, result: { kind: "refused", refusal } };
  }
  const agent: AgentRecord = {
    agentId,
    host,
    labels: enrolment.labels,
    enrolledMs: nowMs,
    keys: [{ hash: keyHash, createdMs: nowMs }],
    revokedMs: null,
    cloneSeenMs: null,
    rotate: false,
  };
  const used = { ...enrolment, usedBy: [...enrolment.usedBy, { agentId, keyHash, atMs: nowMs }] };
  return {
    content: {
      ...content,
      enrolments: content.enrolments.map((each) => (each.id === enrolment.id ? used : each)),
      agents: [...content.agents.filter((each) => each !== known), agent],
      forgotten: content.forgotten.filter((each) => each !== agentId),
    },
    result: { kind: "enrolled", agent, isNew: true },
  };
}

function refuseToken(enrolment: EnrolmentRecord, nowMs: number): EnrolmentRefusal | undefined {
  const { expiresMs, revokedMs, uses, usedBy } = enrolment;
  if (revokedMs !== null) {
    return tokenRefusal("enrolment-revoked", "the enrolment token was revoked");
  }
  if (expiresMs <= nowMs) {
    const at = new Date(expiresMs).toISOString().slice(0, 16).replace("T", " ");
    return tokenRefusal("enrolment-expired", `the enrolment token expired at ${at} UTC`);
  }
  return usedBy.length >= uses
    ? tokenRefusal(
        "enrolment-used",
        uses === 1
          ? "the enrolment token has been used already"
          : `the enrolment token has been used ${uses} times, as often as it may`,
      )
    : undefined;
}

function tokenRefusal(code: string, message: string): EnrolmentRefusal {
  return { status: 401, code, message, advice: NEW_LINE };
}

function refuseHost({ hosts }: EnrolmentRecord, host: string): EnrolmentRefusal | undefined {
  return compileNameGlob(hosts)(host)
    ? undefined
    : {
        status: 403,
        code: "host-refused",
        message: `the enrolment token is for hosts named ${hosts}, and this one is ${host}`,
        advice: "set `host` in agent.yaml, or make a line for this one: `sluice enroll new --host`",
      };
}

function refuseAgent(
  known: AgentRecord | undefined,
  isLive: boolean,
): EnrolmentRefusal | undefined {
  if (known !== undefined && known.revokedMs !== null) {
    return {
      status: 403,
      code: "agent-revoked",
      message: `this agent (${known.host}) was revoked`,
      advice: "if it may come back: `sluice agents forget` on the collector, then enrol it again",
    };
  }
  return isLive
    ? {
        status: 409,
        code: "agent-cloned",
        message: "another agent of this id is connected: this state folder is a copy",
        advice: "move state_dir away on this host: it then begins as an agent of its own",
      }
    : undefined;
}

function refuseKey({ agents }: KeyFile, keyHash: string): EnrolmentRefusal | undefined {
  return agents.some(({ keys }) => keys.some(({ hash }) => hash === keyHash))
    ? {
        status: 409,
        code: "key-known",
        message: "this key is another agent's",
        advice: "remove the file that token_file names, and enrol again: a new key is made",
      }
    : undefined;
}

/** A new key beside the one in use, which stays good until the new one is first used. */
export function addKey(
  agent: AgentRecord,
  from: string,
  keyHash: string,
  nowMs: number,
): AgentRecord {
  const current = agent.keys.filter(({ hash }) => hash === from);
  return { ...agent, keys: [...current, { hash: keyHash, createdMs: nowMs }] };
}

/** The key in use is the newest: those before it are over. */
export function settleKey(agent: AgentRecord, keyHash: string): AgentRecord {
  const newest = agent.keys.at(-1);
  return newest?.hash === keyHash && agent.keys.length > 1
    ? { ...agent, keys: [newest], rotate: false }
    : agent;
}
