import { readFile } from "node:fs/promises";

import { EXIT, Failure } from "./failure.ts";

/**
 * Reads a configuration file. One that was named must be there; the standard one need not.
 *
 * @param service whose configuration it is, for the advice: "agent", "collector"
 * @throws Failure with exit code 78
 */
export async function readConfigFile(
  file: string,
  isNamed: boolean,
  service: string,
): Promise<string | undefined> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" && !isNamed) {
      return undefined;
    }
    throw new Failure(
      code === "ENOENT" ? `${file}: there is no such file` : `${file}: ${message}`,
      `check the path given with --config, and that the ${service}'s user may read it`,
      EXIT.config,
      { cause: error },
    );
  }
}
