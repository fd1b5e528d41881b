import { rm } from "node:fs/promises";
import { EXIT, Failure } from "@sluice/service";

import type { AccessGate, GrantUse } from "./access-gate.ts";
import type {
  AccessChange,
  EnrolmentWish,
  MintedToken,
  TokenEntry,
  TokenRequest,
} from "./access-report.ts";
import { hashSecret, mintSecret } from "./credential.ts";
import type { AgentRecord, EnrolmentRecord, TokenRecord } from "./key-file.ts";
import { type FileScope, tokenPath } from "./token-files.ts";

export interface DeskParts {
  readonly gate: AccessGate;
  readonly dataDir: string;
  /** How many live connections of agents a token or an agent has. */
  readonly connectionsOf: (isMeant: (use: GrantUse) => boolean) => number;
  /** Tells a connected agent to replace its key. */
  readonly askToRotate: (agentId: string) => void;
  /** Whom an operator may mean, besides those with a key: agents that the store knows. */
  readonly knownAgents: () => readonly { readonly agentId: string; readonly host: string }[];
}

/** What an administrator does about tokens and agents. Every error is a Failure with what to do. */
export class AccessDesk {
  readonly #parts: DeskParts;

  constructor(parts: DeskParts) {
    this.#parts = parts;
  }

  tokens(): TokenEntry[] {
    const { gate } = this.#parts;
    const { tokens, enrolments } = gate.keyring.content;
    return [
      ...gate.files.map(({ id, scope }) => ({
        ...NO_TIMES,
        id,
        kind: "file" as const,
        name: id,
        scope,
      })),
      ...tokens.map(({ id, name, scope, ...times }) => ({
        ...NO_TIMES,
        id,
        kind: "token" as const,
        name,
        scope,
        ...toTimes(times),
      })),
      ...enrolments.map(({ id, uses, usedBy, hosts, ...times }) => ({
        id,
        kind: "enrolment" as const,
        name: "",
        scope: "enrol" as const,
        ...toTimes(times),
        uses,
        used: usedBy.length,
        hosts,
      })),
    ];
  }

  async mintToken({ name, scope, ttlMs }: TokenRequest): Promise<MintedToken> {
    const { keyring } = this.#parts.gate;
    const { token, secret } = await keyring.mintToken({ name, scope, ttlMs });
    return toMinted(token, secret);
  }

  mintEnrolment(
    wish: EnrolmentWish,
  ): Promise<{ readonly enrolment: EnrolmentRecord; readonly secret: string }> {
    return this.#parts.gate.keyring.mintEnrolment(wish);
  }

  /** Ends a token or an enrolment at once, with what it has under way. */
  async revokeToken(id: string): Promise<AccessChange> {
    const { gate, dataDir, connectionsOf } = this.#parts;
    const closed = connectionsOf(({ grant }) => grant.id === id);
    const file = gate.files.find((each) => each.id === id);
    if (file !== undefined) {
      await rm(tokenPath(dataDir, file.scope satisfies FileScope), { force: true });
      // Where the key file is missing the next start would write both again.
      await gate.keyring.change((content) => ({ content: { ...content }, result: undefined }));
      gate.removeFile(id);
      gate.end(({ grant }) => grant.id === id, "the token was revoked");
      return { id, name: id, closed };
    }
    const name = await gate.keyring.change((content, nowMs) => {
      const end = <T extends TokenRecord | EnrolmentRecord>(each: T): T =>
        each.id === id && each.revokedMs === null ? { ...each, revokedMs: nowMs } : each;
      const token = content.tokens.find((each) => each.id === id);
      const found = token ?? content.enrolments.find((each) => each.id === id);
      const tokens = content.tokens.map(end);
      const enrolments = content.enrolments.map(end);
      return found === undefined
        ? { content, result: undefined }
        : { content: { ...content, tokens, enrolments }, result: token?.name ?? "enrolment" };
    });
    if (name === undefined) {
      throw noSuch(`no token has the id ${id}`, "`sluice tokens` lists them");
    }
    gate.end(({ grant }) => grant.id === id, "the token was revoked");
    return { id, name, closed };
  }

  /** A new secret under the same name; the old one goes on for the overlap. */
  async rotateToken(id: string, overlapMs: number): Promise<MintedToken> {
    const secret = mintSecret("token");
    const { gate } = this.#parts;
    const token = await gate.keyring.change((content, nowMs) => {
      const old = content.tokens.find((each) => each.id === id);
      if (old === undefined || old.revokedMs !== null) {
        return { content, result: undefined };
      }
      const lifeMs = old.expiresMs === null ? undefined : old.expiresMs - old.createdMs;
      const fresh: TokenRecord = {
        ...old,
        id: gate.keyring.freeId(),
        hash: hashSecret(secret),
        createdMs: nowMs,
        expiresMs: lifeMs === undefined ? null : nowMs + lifeMs,
      };
      const expiresMs = Math.min(old.expiresMs ?? Infinity, nowMs + overlapMs);
      const tokens = content.tokens.map((each) => (each === old ? { ...old, expiresMs } : each));
      return { content: { ...content, tokens: [...tokens, fresh] }, result: fresh };
    });
    if (token === undefined) {
      throw noSuch(
        `no token that is in force has the id ${id}`,
        "`sluice tokens` lists them; those in files are replaced with `tokens new` and `tokens revoke`",
      );
    }
    if (overlapMs === 0) {
      gate.end(({ grant }) => grant.id === id, "the token was replaced");
    }
    return toMinted(token, secret);
  }

  /** Ends an agent's key at once, with its connection; it is not let in again until it is forgotten. */
  async revokeAgent(wanted: string): Promise<AccessChange> {
    const { gate, connectionsOf } = this.#parts;
    const { agentId, host } = this.#find(wanted);
    const closed = connectionsOf(isAgent(agentId));
    const revoked = await gate.keyring.changeAgent(agentId, (agent, nowMs) =>
      agent.revokedMs === null ? { ...agent, revokedMs: nowMs } : agent,
    );
    if (revoked === undefined) {
      // It shares a token: the record alone shuts its id out.
      await gate.keyring.change((content, nowMs) => ({
        content: { ...content, agents: [...content.agents, shutOut(agentId, host, nowMs)] },
        result: undefined,
      }));
    }
    gate.end(isAgent(agentId), "the key of this agent was revoked");
    return { id: agentId, name: host, closed };
  }

  /** Lines that come from now on are stored under another name. */
  async renameAgent(wanted: string, host: string): Promise<AccessChange> {
    const { gate, connectionsOf } = this.#parts;
    const found = this.#find(wanted);
    const { agentId } = found;
    const renamed = await gate.keyring.changeAgent(agentId, (agent) => ({ ...agent, host }));
    if (renamed === undefined) {
      throw noSuch(
        `${found.host} has no key of its own: it says itself what it is called`,
        "set `host` in its agent.yaml, or enrol it: `sluice enroll new`",
      );
    }
    const closed = connectionsOf(isAgent(agentId));
    gate.end(isAgent(agentId), "this agent was renamed", true);
    return { id: agentId, name: host, closed };
  }

  /** Removes an agent's key and its place in the list; what it has sent stays. */
  async forgetAgent(wanted: string): Promise<AccessChange> {
    const { gate, connectionsOf } = this.#parts;
    const { agentId, host } = this.#find(wanted);
    const closed = connectionsOf(isAgent(agentId));
    await gate.keyring.change((content) => ({
      content: {
        ...content,
        agents: content.agents.filter((agent) => agent.agentId !== agentId),
        forgotten: [...new Set([...content.forgotten, agentId])],
      },
      result: undefined,
    }));
    gate.end(isAgent(agentId), "this agent was forgotten: enrol it again");
    return { id: agentId, name: host, closed };
  }

  /** The agent makes a new key at once, or with its next connection. */
  async rotateAgent(wanted: string): Promise<AccessChange> {
    const { gate, askToRotate } = this.#parts;
    const { agentId, host } = this.#find(wanted);
    const rotating = await gate.keyring.changeAgent(agentId, (agent) => ({
      ...agent,
      rotate: true,
    }));
    if (rotating === undefined || rotating.revokedMs !== null) {
      throw noSuch(
        `${host} has no key that could be replaced`,
        "enrol it: `sluice enroll new` prints the line for it",
      );
    }
    askToRotate(agentId);
    return { id: agentId, name: host, closed: 0 };
  }

  /** By agent id, the beginning of one, or a host's name, where that is one agent's alone. */
  #find(wanted: string): Pick<AgentRecord, "agentId" | "host"> {
    const { gate, knownAgents } = this.#parts;
    const enrolled = gate.keyring.content.agents;
    const all = new Map(
      [...knownAgents(), ...enrolled].map(({ agentId, host }) => [agentId, { agentId, host }]),
    );
    const matches = [...all.values()].filter(
      ({ agentId, host }) => host === wanted || (wanted.length >= 8 && agentId.startsWith(wanted)),
    );
    const [match] = matches;
    if (match === undefined) {
      throw noSuch(`no agent is ${wanted}`, "`sluice agents` lists them: name one by host or id");
    }
    if (matches.length > 1) {
      const ids = matches.map(({ agentId }) => agentId).join(", ");
      throw noSuch(`${matches.length} agents are ${wanted}`, `name one by its id: ${ids}`);
    }
    return match;
  }
}

/** By its key, or under a token that it shares with others. */
function isAgent(wanted: string): (use: GrantUse) => boolean {
  return ({ grant, agentId }) => grant.agentId === wanted || agentId === wanted;
}

const NO_TIMES = {
  created: null,
  expires: null,
  revoked: null,
  uses: null,
  used: null,
  hosts: null,
};

function toTimes(times: Pick<TokenRecord, "createdMs" | "expiresMs" | "revokedMs">) {
  const { createdMs, expiresMs, revokedMs } = times;
  return { created: toTime(createdMs), expires: toTime(expiresMs), revoked: toTime(revokedMs) };
}

function toTime(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}

function toMinted({ id, name, scope, expiresMs }: TokenRecord, token: string): MintedToken {
  return { id, name, scope, expires: toTime(expiresMs), token };
}

function shutOut(agentId: string, host: string, nowMs: number): AgentRecord {
  return {
    agentId,
    host,
    labels: {},
    enrolledMs: nowMs,
    keys: [],
    revokedMs: nowMs,
    cloneSeenMs: null,
    rotate: false,
  };
}

function noSuch(message: string, advice: string): Failure {
  return new Failure(message, advice, EXIT.failed);
}
