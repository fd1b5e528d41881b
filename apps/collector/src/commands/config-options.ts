import type { Command } from "@commander-js/extra-typings";

import { type CollectorSettings, loadSettings } from "../settings.ts";

/** The configuration file, and what wins over it: every scalar of the configuration has a flag. */
// A type: commander wants an index signature, which an interface has not.
export type ConfigOptions = {
  readonly config?: string | undefined;
  readonly listen?: string | undefined;
  readonly dataDir?: string | undefined;
  readonly publicUrl?: string | undefined;
  readonly productsDir?: string | undefined;
  readonly tlsCertFile?: string | undefined;
  readonly tlsKeyFile?: string | undefined;
  readonly tlsCaFile?: string | undefined;
  readonly tlsClientCaFile?: string | undefined;
  readonly retentionKeep?: string | undefined;
  readonly retentionMaxSize?: string | undefined;
  readonly retentionMinFree?: string | undefined;
};

/** Adds the flags of the configuration to a command. */
export function addConfigOptions(command: Command): Command<[], ConfigOptions> {
  return command
    .option("--config <file>", "configuration file (default: /etc/sluice/collector.yaml)")
    .option("--listen <address>", "address and port (default: 127.0.0.1:7514)")
    .option("--data-dir <dir>", "folder for everything that is collected")
    .option("--public-url <url>", "where agents reach the collector (default: by its certificate)")
    .option("--products-dir <dir>", "folder of the agent's builds, for hosts to download")
    .option("--tls-cert-file <file>", "the collector's certificate, in PEM (default: plain text)")
    .option("--tls-key-file <file>", "the certificate's private key")
    .option("--tls-ca-file <file>", "authority that agents are told to trust")
    .option("--tls-client-ca-file <file>", "agents must show a certificate that it has signed")
    .option("--retention-keep <age>", "keep records for so long: 30d, or forever (default: 30d)")
    .option("--retention-max-size <size>", "bound on what is stored: 50GB (default: none)")
    .option("--retention-min-free <share>", "leave free on the disk: 5% or 20GB (default: 5%)");
}

/** @throws Failure with exit code 78 */
export function loadConfigOptions(options: ConfigOptions): Promise<CollectorSettings> {
  return loadSettings({
    file: options.config,
    env: process.env,
    flags: {
      listen: options.listen,
      "data-dir": options.dataDir,
      "public-url": options.publicUrl,
      "products-dir": options.productsDir,
      "tls-cert-file": options.tlsCertFile,
      "tls-key-file": options.tlsKeyFile,
      "tls-ca-file": options.tlsCaFile,
      "tls-client-ca-file": options.tlsClientCaFile,
      "retention-keep": options.retentionKeep,
      "retention-max-size": options.retentionMaxSize,
      "retention-min-free": options.retentionMinFree,
    },
  });
}
