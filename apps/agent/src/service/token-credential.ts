import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { TOKEN_CREDENTIAL } from "./agent-unit.ts";

/**
 * The text of the token that systemd hands to the service (systemd.exec(5), "Credentials"); undefined where there is
 * none. The unit's default, an empty line, is none: it lets the service start before it has a token.
 */
export async function tokenCredential(
  env: Readonly<Record<string, string | undefined>>,
): Promise<string | undefined> {
  const folder = env["CREDENTIALS_DIRECTORY"];
  if (folder === undefined || folder === "") {
    return undefined;
  }
  const text = await readFile(join(folder, TOKEN_CREDENTIAL.name), "utf8").catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") {
        return "";
      }
      throw error;
    },
  );
  return text.trim() === "" ? undefined : text;
}
