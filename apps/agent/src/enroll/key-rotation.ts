import type { AgentSettings } from "../agent-settings.ts";
import { AgentKey, hashKey } from "./agent-key.ts";
import { addKey } from "./enroll-client.ts";

/**
 * Replaces this agent's key: a new one is made and on the disk, then every collector learns its
 * hash, then it is the one in use. Until then, and where a step fails, the old one goes on.
 *
 * @returns whether there was a key to replace: a token that several agents share is not this one's
 * @throws Failure where a collector does not take it, or the file cannot be written
 */
export async function rotateKey(settings: AgentSettings): Promise<boolean> {
  const { tokenFile, collectors, tlsFiles } = settings;
  if (tokenFile === undefined) {
    return false;
  }
  const key = new AgentKey(tokenFile);
  const current = await key.current();
  if (current === undefined) {
    return false;
  }
  const next = hashKey(await key.pending());
  const tls = await settings.tls();
  for (const collector of collectors) {
    await addKey({ collector, tls, caFile: tlsFiles.caFile }, current, next);
  }
  await key.commit();
  return true;
}
