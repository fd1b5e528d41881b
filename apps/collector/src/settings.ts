import { resolve } from "node:path";
import {
  type FlagValues,
  formatProblem,
  type LoadedConfig,
  loadConfig,
  standardPaths,
} from "@sluice/config";
import { EXIT, Failure, type ListenAddress, parseListen, readConfigFile } from "@sluice/service";
import type { RetentionPolicy } from "@sluice/retention";

import { COLLECTOR_CONFIG, type CollectorConfig } from "./config.ts";
import type { TlsPaths } from "./tls/tls-files.ts";

export interface ConfigRequest {
  /** `--config`; the standard path where it is not given. */
  readonly file: string | undefined;
  readonly flags: FlagValues;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export interface CollectorSettings {
  readonly config: LoadedConfig<CollectorConfig>;
  readonly file: string;
  readonly listen: ListenAddress;
  readonly dataDir: string;
  readonly retention: RetentionPolicy;
  /** Undefined: plain text. */
  readonly tls: TlsPaths | undefined;
  readonly publicUrl: string | undefined;
  readonly productsDir: string;
}

/**
 * Reads the collector's configuration. A file that was named must be there; the standard one need not.
 *
 * @throws Failure with exit code 78 that lists every problem with its place
 */
export async function loadSettings(request: ConfigRequest): Promise<CollectorSettings> {
  const paths = standardPaths({ product: "collector", uid: process.getuid?.(), env: request.env });
  const file = request.file ?? (paths.ok ? paths.value.configFile : undefined);
  if (file === undefined) {
    throw new Failure(paths.ok ? "" : paths.error, "name the file with --config", EXIT.config);
  }
  const config = loadConfig({
    schema: COLLECTOR_CONFIG,
    text: await readConfigFile(file, request.file !== undefined, "collector"),
    file,
    env: request.env,
    envPrefix: "SLUICE_",
    flags: request.flags,
  });
  if (!config.ok) {
    const problems = config.error.map(formatProblem).join("\n");
    throw new Failure(problems, "mend the configuration, then try `sluice check`", EXIT.config);
  }
  const { value } = config.value;
  const dataDir = value.data_dir ?? (paths.ok ? paths.value.stateDir : undefined);
  const listen = parseListen(value.listen);
  if (dataDir === undefined || listen === undefined) {
    throw new Failure("data_dir is not set", "set data_dir in the configuration", EXIT.config);
  }
  return {
    config: config.value,
    file,
    listen,
    dataDir: resolve(dataDir),
    retention: value.retention,
    tls: toTlsPaths(value.tls),
    publicUrl: value.public_url,
    productsDir: resolve(value.products_dir),
  };
}

function toTlsPaths(tls: CollectorConfig["tls"]): TlsPaths | undefined {
  const { cert_file: cert, key_file: key, ca_file: ca, client_ca_file: clientCa } = tls;
  return cert === undefined || key === undefined
    ? undefined
    : {
        certFile: resolve(cert),
        keyFile: resolve(key),
        caFile: ca === undefined ? undefined : resolve(ca),
        clientCaFile: clientCa === undefined ? undefined : resolve(clientCa),
      };
}
