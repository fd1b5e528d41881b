import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { EXIT, Failure, replaceFile } from "@sluice/service";
import * as z from "zod";

/** What a token that is no agent's key allows. */
export const SCOPE = z.enum(["ingest", "query", "admin"]);

export type Scope = z.infer<typeof SCOPE>;

const hash = z.string().regex(/^[0-9a-f]{64}$/);
/** Milliseconds since the epoch, on the collector's clock. */
const timeMs = z.int().nonnegative();

const TOKEN = z.strictObject({
  id: z.string(),
  name: z.string(),
  scope: SCOPE,
  hash,
  createdMs: timeMs,
  expiresMs: timeMs.nullable(),
  revokedMs: timeMs.nullable(),
});

const ENROLMENT = z.strictObject({
  id: z.string(),
  hash,
  createdMs: timeMs,
  expiresMs: timeMs,
  revokedMs: timeMs.nullable(),
  uses: z.int().positive(),
  /** Glob that the name of a host must match. */
  hosts: z.string(),
  labels: z.record(z.string(), z.string()),
  /** Who has used it, and for which key: the same question again gets the same answer. */
  usedBy: z.array(z.strictObject({ agentId: z.string(), keyHash: hash, atMs: timeMs })),
});

const AGENT = z.strictObject({
  agentId: z.string(),
  /** The name that its lines are stored under. */
  host: z.string(),
  /** Win over those of the agent's own configuration. */
  labels: z.record(z.string(), z.string()),
  enrolledMs: timeMs,
  /** The newest last; two while a new one has not been used yet. */
  keys: z.array(z.strictObject({ hash, createdMs: timeMs })),
  revokedMs: timeMs.nullable(),
  /** When a second live instance was last refused. */
  cloneSeenMs: timeMs.nullable(),
  /** The agent is to replace its key. */
  rotate: z.boolean(),
});

const KEY_FILE = z.strictObject({
  version: z.literal(1),
  tokens: z.array(TOKEN),
  enrolments: z.array(ENROLMENT),
  agents: z.array(AGENT),
  /** Agents that are not to be listed while they are away. */
  forgotten: z.array(z.string()),
});

export type TokenRecord = z.infer<typeof TOKEN>;
export type EnrolmentRecord = z.infer<typeof ENROLMENT>;
export type AgentRecord = z.infer<typeof AGENT>;
export type KeyFile = z.infer<typeof KEY_FILE>;

export const EMPTY_KEY_FILE: KeyFile = {
  version: 1,
  tokens: [],
  enrolments: [],
  agents: [],
  forgotten: [],
};

export function keyFilePath(dataDir: string): string {
  return join(dataDir, "keys.json");
}

/**
 * Reads `data_dir/keys.json`; undefined where there is none.
 *
 * @throws Failure where it holds something else: nobody is let in, and nobody is shut out, by a guess
 */
export async function readKeyFile(dataDir: string): Promise<KeyFile | undefined> {
  const path = keyFilePath(dataDir);
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") {
      return undefined;
    }
    throw new Failure(
      `${path}: ${(error as Error).message}`,
      "let the collector's user read it: `chown` the data folder as a whole",
      EXIT.failed,
      { cause: error },
    );
  }
  try {
    return KEY_FILE.parse(JSON.parse(text));
  } catch (error) {
    throw new Failure(
      `${path} is damaged, or of a newer version`,
      "restore it from a backup; without it every agent has to be enrolled again",
      EXIT.failed,
      { cause: error },
    );
  }
}

/** A crash leaves the old or the new file. */
export function writeKeyFile(dataDir: string, content: KeyFile): Promise<void> {
  return replaceFile(keyFilePath(dataDir), `${JSON.stringify(content, undefined, 1)}\n`);
}
