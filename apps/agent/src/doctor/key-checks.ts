import { stat } from "node:fs/promises";

import { type Check, fail, ok, warn } from "./doctor-report.ts";

const ENROL = "enrol this host: `sluice enroll new` on the collector prints the line for it";

/** Whether the agent's key is there, and nobody else's to read. Nothing to say where it comes by a variable. */
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
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return [
      code === "ENOENT"
        ? fail(name, `${path} is not there: this host is not enrolled`, ENROL)
        : fail(name, message, "let the agent's user read it"),
    ];
  }
}
