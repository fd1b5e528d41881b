import type { AgentRecord, Scope } from "./key-file.ts";
import { bearerOf, hashSecret } from "./credential.ts";
import type { KeyHolder, Keyring } from "./keyring.ts";
import type { FileScope } from "./token-files.ts";

/** What a request needs: to send logs, to read them, to change what is stored, to decide who may. */
export type Permission = "ingest" | "query" | "maintain" | "admin";

/** What somebody was let in by. */
export interface Grant {
  /** Of the token or the agent: what `revoke` ends. */
  readonly id: string;
  readonly permissions: ReadonlySet<Permission>;
  /** The one agent whose key it is; undefined for a token that any agent may use. */
  readonly agentId: string | undefined;
  readonly keyHash: string;
}

/** Why somebody is not let in, in words that their log may show. */
export interface Denial {
  readonly code: "unauthenticated" | "forbidden";
  readonly message: string;
  readonly advice: string;
}

/** Something under way that a grant has let in. */
export interface GrantUse {
  readonly grant: Grant;
  /** Who the agent on a connection says it is; empty before it has, and for what is no agent. */
  readonly agentId: string;
}

export interface GrantEnd {
  readonly isMeant: (use: GrantUse) => boolean;
  readonly reason: string;
  /** It may come back at once, to be let in on other terms. */
  readonly mayReturn: boolean;
}

export type Verdict =
  | { readonly ok: true; readonly grant: Grant }
  | { readonly ok: false; readonly denial: Denial };

const PERMISSIONS: Readonly<Record<Scope, ReadonlySet<Permission>>> = {
  ingest: new Set(["ingest"]),
  query: new Set(["query"]),
  admin: new Set(["query", "maintain", "admin"]),
};

/** `query.token` of a data folder could always prune and delete: it still can. */
const FILE_PERMISSIONS: Readonly<Record<FileScope, ReadonlySet<Permission>>> = {
  ingest: PERMISSIONS.ingest,
  query: new Set(["query", "maintain"]),
};

const ASK_FOR: Readonly<Record<Permission, string>> = {
  ingest: "enrol the host: `sluice enroll new` on the collector prints the line for it",
  query: "ask for a token that may query: `sluice tokens new --scope query`",
  maintain: "this changes what is stored and needs a token of scope admin",
  admin:
    "this needs a token of scope admin; on the collector's machine, run it as its user or root",
};

/** Who may do what: decides about each request by its bearer token, and tells of those that end. */
export class AccessGate {
  readonly keyring: Keyring;
  readonly #nowMs: () => number;
  /** Grants of tokens that lie in files, by the token's hash. */
  readonly #fileGrants = new Map<string, Grant>();
  readonly #watchers = new Set<(end: GrantEnd) => void>();

  constructor(keyring: Keyring, files: ReadonlyMap<FileScope, string>, nowMs: () => number) {
    this.keyring = keyring;
    this.#nowMs = nowMs;
    for (const [scope, token] of files) {
      this.#addFile(`${scope}.token`, token, FILE_PERMISSIONS[scope]);
    }
  }

  /** Names of the files whose tokens are accepted. */
  get files(): readonly { readonly id: string; readonly scope: FileScope }[] {
    return [...this.#fileGrants.values()].flatMap(({ id }) =>
      id === "ingest.token" || id === "query.token"
        ? [{ id, scope: id === "ingest.token" ? ("ingest" as const) : ("query" as const) }]
        : [],
    );
  }

  /** The token of this run, for commands on this machine. */
  addLocal(token: string): void {
    this.#addFile("local.token", token, PERMISSIONS.admin);
  }

  /** Decides by an `Authorization` header. */
  verify(permission: Permission, authorization: string | undefined): Verdict {
    const secret = bearerOf(authorization);
    if (secret === undefined) {
      return deny("unauthenticated", "no token was sent", ASK_FOR[permission]);
    }
    const keyHash = hashSecret(secret);
    const file = this.#fileGrants.get(keyHash);
    const found = file === undefined ? this.#grantOf(this.keyring.holderOf(secret), keyHash) : file;
    if (!("permissions" in found)) {
      return { ok: false, denial: found };
    }
    return found.permissions.has(permission)
      ? { ok: true, grant: found }
      : deny("forbidden", `the token is not for this (${permission})`, ASK_FOR[permission]);
  }

  /** Is called when grants end while they may be in use; returns how to stop that. */
  watch(watcher: (end: GrantEnd) => void): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  /** Has everything end that is meant. */
  end(isMeant: GrantEnd["isMeant"], reason: string, mayReturn = false): void {
    for (const watcher of this.#watchers) {
      watcher({ isMeant, reason, mayReturn });
    }
  }

  #addFile(id: string, token: string, permissions: ReadonlySet<Permission>): void {
    const keyHash = hashSecret(token);
    this.#fileGrants.set(keyHash, { id, permissions, agentId: undefined, keyHash });
  }

  removeFile(id: string): void {
    for (const [keyHash, grant] of this.#fileGrants) {
      if (grant.id === id) {
        this.#fileGrants.delete(keyHash);
      }
    }
  }

  #grantOf(holder: KeyHolder | undefined, keyHash: string): Grant | Denial {
    switch (holder?.kind) {
      case undefined:
        return {
          code: "unauthenticated",
          message: "the token is not known here",
          advice: "compare it with the collector's: `sluice tokens` lists them",
        };
      case "enrolment":
        return {
          code: "unauthenticated",
          message: "this token is for enrolment only",
          advice: "exchange it for a key: sluice-agent enroll",
        };
      case "agent":
        return agentGrant(holder.agent, keyHash);
      case "token": {
        const { id, scope, expiresMs, revokedMs } = holder.token;
        if (revokedMs !== null) {
          return ended("this token was revoked");
        }
        return expiresMs !== null && expiresMs <= this.#nowMs()
          ? ended("this token has expired")
          : { id, permissions: PERMISSIONS[scope], agentId: undefined, keyHash };
      }
      default:
        return holder satisfies never;
    }
  }
}

function agentGrant(agent: AgentRecord, keyHash: string): Grant | Denial {
  const { agentId, revokedMs } = agent;
  return revokedMs === null
    ? { id: agentId, permissions: PERMISSIONS.ingest, agentId, keyHash }
    : {
        code: "unauthenticated",
        message: "the key of this agent was revoked",
        advice:
          "if that was a mistake: `sluice agents forget` on the collector, then enrol the host again",
      };
}

function ended(message: string): Denial {
  return {
    code: "unauthenticated",
    message,
    advice: "ask the collector's administrator for another: `sluice tokens new`",
  };
}

function deny(code: Denial["code"], message: string, advice: string): Verdict {
  return { ok: false, denial: { code, message, advice } };
}
