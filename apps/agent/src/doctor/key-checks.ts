import { stat } from "node:fs/promises";

import { type Check, ok, warn } from "./doctor-report.ts";

/** Whether the agent's key is nobody else's to read. Nothing to say where it is in no file. */
export async function checkKeyFile(path: string | undefined): Promise<readonly Check[]> {
  if (path === undefined) {
    return [];
  }
  const name = "token_file";
  try {
    const { mode } = await stat(path);
    return (mode & 0o077) === 0
      ? [ok(name, `${path}, its owner's alone`)]
      : [
          warn(
            name,
            `${path} has mode ${(mode & 0o777).toString(8)}: others can send in this host's name`,
            `take it from them: chmod 600 ${path}`,
          ),
        ];
  } catch {
    return []; // Whether there is a token at all, and a good one, is looked at with the collector.
  }
}
