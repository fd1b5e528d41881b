import { AccessGate } from "./access-gate.ts";
import { FailedAttempts } from "./failed-attempts.ts";
import type { KeyFile } from "./key-file.ts";
import { Keyring } from "./keyring.ts";
import { type FileScope, loadTokenFiles } from "./token-files.ts";

export interface Access {
  readonly gate: AccessGate;
  /** One count over upgrades, enrolments and the API. */
  readonly failures: FailedAttempts;
}

/** @throws Failure where the keys of the data folder cannot be read */
export async function openAccess(dataDir: string): Promise<Access> {
  const keyring = await Keyring.load(dataDir, Date.now);
  const files = await loadTokenFiles(dataDir, scopesWithout(keyring.content));
  return {
    gate: new AccessGate(keyring, files, Date.now),
    failures: new FailedAttempts(() => performance.now()),
  };
}

/** Scopes that no enrolment and no token has been made for. */
function scopesWithout({ tokens, enrolments, agents }: KeyFile): ReadonlySet<FileScope> {
  const mayQuery = tokens.some(({ scope }) => scope !== "ingest");
  const isFresh = tokens.length + enrolments.length + agents.length === 0;
  return new Set([
    ...(isFresh ? (["ingest"] as const) : []),
    ...(mayQuery ? [] : (["query"] as const)),
  ]);
}
