import { randomBytes } from "node:crypto";
import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { replaceFile } from "@sluice/service";

import { mintSecret } from "./credential.ts";

/** The tokens that lie in files of their own. */
export type FileScope = "ingest" | "query";

const TOKEN_BYTES = 32;

/** Made when a collector first starts. */
export function tokenFolder(dataDir: string): string {
  return join(dataDir, "tokens");
}

export function tokenPath(dataDir: string, scope: FileScope): string {
  return join(tokenFolder(dataDir), `${scope}.token`);
}

/**
 * Reads the token files of a data folder, and writes those that are missing and wanted, mode 0600.
 *
 * @param wanted scopes that nothing else lets anybody in for: a collector that nobody has set up is
 *   ready for use on its own machine
 */
export async function loadTokenFiles(
  dataDir: string,
  wanted: ReadonlySet<FileScope>,
): Promise<ReadonlyMap<FileScope, string>> {
  await mkdir(tokenFolder(dataDir), { recursive: true, mode: 0o700 });
  const tokens = new Map<FileScope, string>();
  for (const scope of ["ingest", "query"] as const) {
    const token = await readToken(tokenPath(dataDir, scope), wanted.has(scope));
    if (token !== undefined && token !== "") {
      tokens.set(scope, token);
    }
  }
  return tokens;
}

async function readToken(path: string, mint: boolean): Promise<string | undefined> {
  try {
    return (await readFile(path, "utf8")).trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") {
      throw error;
    }
  }
  if (!mint) {
    return undefined;
  }
  const token = randomBytes(TOKEN_BYTES).toString("base64url");
  await writeFile(path, `${token}\n`, { mode: 0o600, flag: "wx" });
  return token;
}

/** How commands on the collector's own machine reach it: a context, as `SLUICE_CONTEXT` names one. */
export interface LocalContext {
  readonly collector: string;
  readonly caFile?: string | undefined;
  /** The name that the certificate is for, where it is not for the address. */
  readonly serverName?: string | undefined;
}

export function localContextPath(dataDir: string): string {
  return join(dataDir, "local.json");
}

/**
 * Mints the token of this run of the collector and writes it beside the data, with the way to use
 * it: who may read the folder may do all with it anyway, and no later run knows this token.
 */
export async function writeLocalContext(
  dataDir: string,
  { collector, caFile, serverName }: LocalContext,
): Promise<string> {
  const token = mintSecret("token");
  const path = join(dataDir, "local.token");
  await replaceFile(path, `${token}\n`);
  await chmod(path, 0o600);
  const context = { collector, tokenFile: "local.token", caFile, serverName };
  await replaceFile(localContextPath(dataDir), `${JSON.stringify(context)}\n`);
  return token;
}
