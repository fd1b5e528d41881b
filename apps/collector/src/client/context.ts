import { readFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { standardPaths } from "@sluice/config";
import { EXIT, Failure, parseToken } from "@sluice/service";
import * as z from "zod";

import { DEFAULT_PORT } from "../config.ts";
import { localContextPath, tokenPath } from "../access/token-files.ts";

type Env = Readonly<Record<string, string | undefined>>;

/** Flags that say where the records are; every command that reads them takes these. */
export interface TargetOptions {
  readonly data?: string | undefined;
  readonly collector?: string | undefined;
  readonly tokenFile?: string | undefined;
  /** `--ca`: the authority that the collector's certificate must be signed by. */
  readonly ca?: string | undefined;
}

/** Whom to trust, for https. */
export interface Trust {
  /** In PEM; undefined for the system's authorities. */
  readonly ca: string | undefined;
  /** For messages. */
  readonly caFile: string | undefined;
  /** The name that the certificate is for, where it is not the address's. */
  readonly serverName: string | undefined;
}

export interface Token {
  readonly value: string;
  /** For messages: a path, or the name of a variable. */
  readonly origin: string;
}

/** Where a command reads: a data folder, or a collector's API. */
export type Target =
  | { readonly kind: "data"; readonly dataDir: string }
  | {
      readonly kind: "collector";
      readonly url: URL;
      readonly token: Token | undefined;
      readonly trust: Trust;
    };

/** A saved context: which collector, the file that holds its token, and whom to trust there. Paths are relative to it. */
const CONTEXT = z.strictObject({
  collector: z.string(),
  tokenFile: z.string().optional(),
  caFile: z.string().optional(),
  serverName: z.string().optional(),
});

const DEFAULT_COLLECTOR = `http://127.0.0.1:${DEFAULT_PORT}`;

/**
 * Decides where to read: `--data` > `--collector` > the saved context > this machine's collector,
 * which leaves a context of its own beside its data.
 * The context is the file that SLUICE_CONTEXT names, else `sluice/context.json` in the user's
 * configuration. The token comes from `--token-file` > SLUICE_TOKEN > SLUICE_TOKEN_FILE > what
 * belongs to the collector itself: a context's token never goes to a collector that a flag named.
 *
 * @throws Failure with exit code 2
 */
export async function resolveTarget(options: TargetOptions, env: Env): Promise<Target> {
  if (options.data !== undefined) {
    return { kind: "data", dataDir: resolve(options.data) };
  }
  const given = await givenToken(options.tokenFile, env);
  const caFile = options.ca ?? namedIn(env, "SLUICE_CA_FILE");
  if (options.collector !== undefined) {
    const url = parseUrl(options.collector, "--collector");
    return { kind: "collector", url, token: given, trust: await readTrust(caFile) };
  }
  const context = (await loadContext(env)) ?? (await loadLocalContext(env));
  if (context !== undefined) {
    const { file, collector, tokenFile, serverName } = context;
    const own = async (): Promise<Token | undefined> =>
      tokenFile === undefined ? undefined : readToken(tokenFile, `${file} names it`);
    return {
      kind: "collector",
      url: parseUrl(collector, file),
      token: given ?? (await own()),
      trust: await readTrust(caFile ?? context.caFile, serverName),
    };
  }
  const url = new URL(DEFAULT_COLLECTOR);
  const token = given ?? (await localToken(env));
  return { kind: "collector", url, token, trust: await readTrust(caFile) };
}

async function readTrust(caFile: string | undefined, serverName?: string): Promise<Trust> {
  if (caFile === undefined) {
    return { ca: undefined, caFile, serverName };
  }
  try {
    return { ca: await readFile(caFile, "utf8"), caFile, serverName };
  } catch (error) {
    throw new Failure(
      `cannot read the authority: ${reason(caFile, error)}`,
      "name a copy of the collector's ca.pem with --ca, or in caFile of the context",
      EXIT.usage,
      { cause: error },
    );
  }
}

function namedIn(env: Env, variable: string): string | undefined {
  const value = env[variable];
  return value === "" ? undefined : value;
}

async function givenToken(file: string | undefined, env: Env): Promise<Token | undefined> {
  if (file !== undefined) {
    return readToken(file, "check the path given with --token-file");
  }
  const token = env["SLUICE_TOKEN"];
  if (token !== undefined && token !== "") {
    return toToken(
      token,
      "SLUICE_TOKEN",
      "copy it from the collector's data_dir/tokens/query.token",
    );
  }
  const named = env["SLUICE_TOKEN_FILE"];
  return named === undefined || named === ""
    ? undefined
    : readToken(named, "SLUICE_TOKEN_FILE names it");
}

async function readToken(file: string, advice: string): Promise<Token> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    throw new Failure(`cannot read the token: ${reason(file, error)}`, advice, EXIT.usage, {
      cause: error,
    });
  }
  return toToken(text, file, advice);
}

function toToken(text: string, origin: string, advice: string): Token {
  const value = parseToken(text);
  if (value === undefined) {
    throw new Failure(`${origin} does not hold a token`, advice, EXIT.usage);
  }
  return { value, origin };
}

/** The token of a collector that runs on this machine with the standard paths, where we may read it. */
async function localToken(env: Env): Promise<Token | undefined> {
  const paths = standardPaths({ product: "collector", uid: process.getuid?.(), env });
  if (!paths.ok) {
    return undefined;
  }
  const file = tokenPath(paths.value.stateDir, "query");
  try {
    const value = parseToken(await readFile(file, "utf8"));
    return value === undefined ? undefined : { value, origin: file };
  } catch {
    return undefined; // the collector's answer then says that it wants one
  }
}

interface LoadedContext {
  readonly file: string;
  readonly collector: string;
  readonly tokenFile: string | undefined;
  readonly caFile: string | undefined;
  readonly serverName: string | undefined;
}

/** What a collector on this machine with the standard paths has written for us, where we may read it. */
async function loadLocalContext(env: Env): Promise<LoadedContext | undefined> {
  const paths = standardPaths({ product: "collector", uid: process.getuid?.(), env });
  if (!paths.ok) {
    return undefined;
  }
  const file = localContextPath(paths.value.stateDir);
  try {
    return locate(file, parseContext(await readFile(file, "utf8"), file));
  } catch {
    return undefined; // nobody has named it: without it the request says what is missing
  }
}

async function loadContext(env: Env): Promise<LoadedContext | undefined> {
  const named = env["SLUICE_CONTEXT"];
  const isNamed = named !== undefined && named !== "";
  const file = isNamed ? resolve(named) : defaultContextFile(env);
  if (file === undefined) {
    return undefined;
  }
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    if (!isNamed && (error as NodeJS.ErrnoException).code === "ENOENT") {
      return undefined;
    }
    const advice = isNamed ? "SLUICE_CONTEXT names it" : "mend or remove the file";
    throw new Failure(reason(file, error), advice, EXIT.usage, { cause: error });
  }
  return locate(file, parseContext(text, file));
}

function locate(file: string, context: z.infer<typeof CONTEXT>): LoadedContext {
  const { collector, tokenFile, caFile, serverName } = context;
  const at = (path: string | undefined): string | undefined =>
    path === undefined ? undefined : resolve(dirname(file), path);
  return { file, collector, tokenFile: at(tokenFile), caFile: at(caFile), serverName };
}

function parseContext(text: string, file: string): z.infer<typeof CONTEXT> {
  try {
    return CONTEXT.parse(JSON.parse(text));
  } catch (error) {
    throw new Failure(
      `${file} is not a context`,
      'it holds {"collector": "http://127.0.0.1:7514", "tokenFile": "query.token"}',
      EXIT.usage,
      { cause: error },
    );
  }
}

function defaultContextFile(env: Env): string | undefined {
  const base = env["XDG_CONFIG_HOME"] || (env["HOME"] && join(env["HOME"], ".config"));
  return base === undefined || base === "" ? undefined : join(base, "sluice", "context.json");
}

function parseUrl(text: string, origin: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== "http:" && url?.protocol !== "https:") {
    throw new Failure(
      `${origin}: ${text} is not a collector's address`,
      `write it as ${DEFAULT_COLLECTOR}`,
      EXIT.usage,
    );
  }
  return url;
}

function reason(file: string, error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  switch (code) {
    case "ENOENT":
      return `${file}: there is no such file`;
    case "EACCES":
      return `${file}: this user may not read it`;
    default:
      return `${file}: ${message}`;
  }
}
