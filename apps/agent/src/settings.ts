import { readFile } from "node:fs/promises";
import { hostname } from "node:os";
import { resolve } from "node:path";
import {
  type FlagValues,
  formatProblem,
  type LoadedConfig,
  loadConfig,
  standardPaths,
} from "@sluice/config";
import { EXIT, Failure, parseListen, parseToken, readConfigFile } from "@sluice/service";

import type { AgentSettings } from "./agent-settings.ts";
import { AGENT_CONFIG, type AgentConfig } from "./config.ts";
import { toList } from "./file-source-config.ts";
import { tokenCredential } from "./service/token-credential.ts";
import { toSource } from "./source-config.ts";
import { readTlsIdentity, type TlsFiles } from "./tls-identity.ts";
import { VERSION } from "./version.ts";

export interface ConfigRequest {
  /** `--config`; the standard path where it is not given. */
  readonly file: string | undefined;
  /** In place of what the file holds. */
  readonly text?: string;
  readonly flags: FlagValues;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export interface LoadedSettings {
  readonly config: LoadedConfig<AgentConfig>;
  readonly file: string;
  /** What the file holds; undefined where it is not there. */
  readonly text: string | undefined;
  readonly settings: AgentSettings;
}

/**
 * Reads the agent's configuration. A file that was named must be there; the standard one need not.
 *
 * @throws Failure with exit code 78 that lists every problem with its place
 */
export async function loadSettings(request: ConfigRequest): Promise<LoadedSettings> {
  const paths = standardPaths({ product: "agent", uid: process.getuid?.(), env: request.env });
  const file = request.file ?? (paths.ok ? paths.value.configFile : undefined);
  if (file === undefined) {
    throw new Failure(paths.ok ? "" : paths.error, "name the file with --config", EXIT.config);
  }
  const text = request.text ?? (await readConfigFile(file, request.file !== undefined, "agent"));
  const config = loadConfig({
    schema: AGENT_CONFIG,
    text,
    file,
    env: request.env,
    envPrefix: "SLUICE_AGENT_",
    flags: request.flags,
  });
  if (!config.ok) {
    const problems = config.error.map(formatProblem).join("\n");
    throw new Failure(
      problems,
      "mend the configuration, then try `sluice-agent check`",
      EXIT.config,
    );
  }
  const { value } = config.value;
  const stateDir = value.state_dir ?? (paths.ok ? paths.value.stateDir : undefined);
  if (stateDir === undefined) {
    throw new Failure("state_dir is not set", "set state_dir in the configuration", EXIT.config);
  }
  const tlsFiles: TlsFiles = {
    caFile: value.tls.ca_file,
    certFile: value.tls.cert_file,
    keyFile: value.tls.key_file,
  };
  const settings: AgentSettings = {
    collectors: toList(value.collector),
    token: () => readToken(value.token_file, request.env),
    tokenFile: value.token_file,
    tls: () => readTlsIdentity(tlsFiles),
    tlsFiles,
    stateDir: resolve(stateDir),
    host: value.host ?? hostname(),
    version: VERSION,
    labels: value.labels,
    failbackMs: value.failback === "never" ? undefined : value.failback,
    metrics: value.metrics.listen === undefined ? undefined : parseListen(value.metrics.listen),
    sources: value.sources.map(toSource),
  };
  return { config: config.value, file, text, settings };
}

const TOKEN_FILE_ADVICE =
  "enrol this host: `sluice enroll new` on the collector prints the line for it";

const UNREADABLE_ADVICE =
  "run the agent as the user whose file it is, or give that user the file with chown";

/** SLUICE_AGENT_TOKEN is a token, `token_file` (SLUICE_AGENT_TOKEN_FILE) a path; else systemd may hand one on. */
async function readToken(
  tokenFile: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): Promise<string> {
  const token = env["SLUICE_AGENT_TOKEN"];
  if (token !== undefined && token !== "") {
    return toToken(token, "SLUICE_AGENT_TOKEN");
  }
  const credential = tokenFile === undefined ? await tokenCredential(env) : undefined;
  if (credential !== undefined) {
    return toToken(credential, "the credential agent.token");
  }
  if (tokenFile === undefined) {
    throw new Failure(
      "no token is configured",
      "set token_file, and enrol this host: `sluice enroll new` on the collector prints the line for it",
      EXIT.config,
    );
  }
  const origin = `token_file ${tokenFile}`;
  try {
    return toToken(await readFile(tokenFile, "utf8"), origin);
  } catch (error) {
    if (error instanceof Failure) {
      throw error;
    }
    const { code, message } = error as NodeJS.ErrnoException;
    const advice = code === "EACCES" ? UNREADABLE_ADVICE : TOKEN_FILE_ADVICE;
    throw new Failure(`${origin}: ${message}`, advice, EXIT.config, { cause: error });
  }
}

function toToken(text: string, origin: string): string {
  const token = parseToken(text);
  if (token === undefined) {
    throw new Failure(`${origin} does not hold a token`, TOKEN_FILE_ADVICE, EXIT.config);
  }
  return token;
}
