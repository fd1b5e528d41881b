import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";

import { replaceFile } from "./durable-file.ts";
import { Failure } from "@sluice/service";

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
  try {
    const id = (await readFile(path, "utf8")).trim();
    if (!UUID.test(id)) {
      throw new Failure(
        `${path} does not hold an agent id`,
        "restore the file, or move the whole state folder away to begin as a new agent",
      );
    }
    return { id, isNew: false };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") {
      throw error;
    }
  }
  const id = randomUUID();
  await replaceFile(path, `${id}\n`);
  return { id, isNew: true };
}
