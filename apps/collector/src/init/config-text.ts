import { DEFAULT_PRODUCTS_DIR } from "../config.ts";

export interface InitialConfig {
  readonly listen: string;
  readonly dataDir: string;
  readonly certFile: string;
  readonly keyFile: string;
  readonly caFile: string;
  readonly publicUrl: string | undefined;
  readonly productsDir: string | undefined;
}

/** A first `collector.yaml`, with what else may stand in it as comments. JSON's strings are YAML's. */
export function configText(config: InitialConfig): string {
  const { listen, dataDir, publicUrl, productsDir } = config;
  const url =
    publicUrl === undefined
      ? "# public_url: https://logs.example.net:7514"
      : `public_url: ${quote(publicUrl)}`;
  const products =
    productsDir === undefined
      ? `# products_dir: ${DEFAULT_PRODUCTS_DIR}`
      : `products_dir: ${quote(productsDir)}`;
  return `# The Sluice collector. \`sluice check\` validates this file, \`sluice config show\` says what is in force.

# Address and port for agents, queries and installation, all by TLS.
listen: ${quote(listen)}

# Everything that is collected; on a local file system.
data_dir: ${quote(dataDir)}

# Where hosts reach this collector, where that is not the certificate's first name.
${url}

# The agent's builds, which hosts download when they are enrolled.
${products}

${tlsText(config)}
  # Agents must show a certificate that this authority has signed, besides their key.
  # client_ca_file: /etc/sluice/client-ca.pem

# By time of receipt; the first rule that matches decides.
retention:
  keep: 30d
  min_free: 5%
  # max_size: 50GB
  # rules:
  #   - match: { host: "db-*", level: ">=warn" }
  #     keep: 365d
`;
}

/** What a configuration without address and certificate gets; the package's data folder is the standard one. */
export function addedText(config: InitialConfig): string {
  const url = config.publicUrl === undefined ? "" : `public_url: ${quote(config.publicUrl)}\n`;
  const products =
    config.productsDir === undefined ? "" : `products_dir: ${quote(config.productsDir)}\n`;
  return `# Added by \`sluice init\`.
listen: ${quote(config.listen)}
data_dir: ${quote(config.dataDir)}
${url}${products}
${tlsText(config)}
`;
}

export function tlsText({ certFile, keyFile, caFile }: InitialConfig): string {
  return `# Made by \`sluice init\`; the collector renews its certificate by itself, and takes up changed files.
tls:
  cert_file: ${quote(certFile)}
  key_file: ${quote(keyFile)}
  # The authority that agents trust. Leave it out for a certificate that systems know already.
  ca_file: ${quote(caFile)}`;
}

function quote(text: string): string {
  return /^[A-Za-z0-9_./:-]+$/.test(text) && !/^\[|: |:$/.test(text) ? text : JSON.stringify(text);
}
