import { randomUUID } from "node:crypto";
import { readFile, rename } from "node:fs/promises";

import { Failure, replaceFile } from "@sluice/service";

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

export interface AgentId {
  readonly id: string;
  /** Minted just now: this agent has never run before. */
  readonly isNew: boolean;
}

/**
 * The agent's name for good: a UUID minted once, never the hostname or the machine id, both of
 * which clones share and administrators change.
 *
 * @throws Failure where the file holds something else
 */
export async function loadAgentId(path: string): Promise<AgentId> {
  const known = await readId(path);
  if (known !== undefined) {
    return { id: known, isNew: false };
  }
  const reserved = await readId(reservedPath(path));
  if (reserved !== undefined) {
    await rename(reservedPath(path), path);
    return { id: reserved, isNew: true };
  }
  const id = randomUUID();
  await replaceFile(path, `${id}\n`);
  return { id, isNew: true };
}

/**
 * The id that this agent has, or will have when it first runs: one that enrols has not run, and its
 * state is not lost for that.
 *
 * @throws Failure where the file holds something else
 */
export async function reserveAgentId(
  path: string,
  owner?: { readonly uid: number; readonly gid: number },
): Promise<string> {
  const known = (await readId(path)) ?? (await readId(reservedPath(path)));
  if (known !== undefined) {
    return known;
  }
  const id = randomUUID();
  await replaceFile(reservedPath(path), `${id}\n`, 0o600, owner);
  return id;
}

function reservedPath(path: string): string {
  return `${path}.new`;
}

async function readId(path: string): Promise<string | undefined> {
  let id: string;
  try {
    id = (await readFile(path, "utf8")).trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") {
      return undefined;
    }
    throw error;
  }
  if (!UUID.test(id)) {
    throw new Failure(
      `${path} does not hold an agent id`,
      "restore the file, or move the whole state folder away to begin as a new agent",
    );
  }
  return id;
}
