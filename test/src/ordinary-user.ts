import { spawnSync } from "node:child_process";

/** "nobody": permissions do not stop root. */
const UID = 65_534;

/**
 * What to put before a command so that it runs as a user whom permissions stop; empty where these
 * tests are run by one. Undefined where root cannot become one that may run this Node.
 */
export function asOrdinaryUser(): readonly string[] | undefined {
  if (process.getuid?.() !== 0) return [];
  const wrapper = ["setpriv", `--reuid=${UID}`, `--regid=${UID}`, "--clear-groups"];
  const [program = "", ...args] = wrapper;
  const probe = spawnSync(program, [...args, process.execPath, "--version"]);
  return probe.status === 0 ? wrapper : undefined;
}

export const NO_ORDINARY_USER = "needs a user other than root who may run this Node";
