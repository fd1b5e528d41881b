import { isAbsolute } from "node:path";

import { EXIT, Failure } from "../failure.ts";
import { ownProgram } from "../own-program.ts";

/** Where a hardened service of another user finds nothing, or finds it only until the next start of the machine. */
const UNREACHABLE = ["/root/", "/home/", "/run/user/", "/tmp/", "/var/tmp/"];

/**
 * What a unit is to run.
 *
 * @param named an executable; undefined for this program
 * @param nodeOptions for Node.js, where the program is a file that Node.js runs
 * @throws Failure where it is not named by an absolute path
 */
export function unitProgram(
  named: string | undefined,
  nodeOptions: readonly string[] = [],
): readonly string[] {
  if (named === undefined) {
    const { command, isExecutable } = ownProgram();
    const [node = "", ...rest] = command;
    return isExecutable ? command : [node, ...nodeOptions, ...rest];
  }
  if (!isAbsolute(named)) {
    throw new Failure(
      `--program needs an absolute path, and this is ${named}`,
      "a service has no folder of its own to start from",
      EXIT.usage,
    );
  }
  return [named];
}

/** @throws Failure where a service could not be started from one of these paths */
export function requireReachable(command: readonly string[]): void {
  const hidden = command.find((word) => UNREACHABLE.some((folder) => word.startsWith(folder)));
  if (hidden !== undefined) {
    throw new Failure(
      `a service cannot be started from ${hidden}: its user does not see that folder`,
      "copy the program to /usr/local/bin or /opt first, and run it from there",
    );
  }
}
