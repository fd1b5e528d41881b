import { readFile } from "node:fs/promises";
import { EXIT, Failure } from "@sluice/service";

/** As `tls:` in agent.yaml names them. */
export interface TlsFiles {
  readonly caFile: string | undefined;
  readonly certFile: string | undefined;
  readonly keyFile: string | undefined;
}

/** Whom a connection trusts, and what it shows of itself; in PEM. Without `ca` the system's authorities. */
export interface TlsIdentity {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

/** @throws Failure with exit code 78 that names the file */
export async function readTlsIdentity(files: TlsFiles): Promise<TlsIdentity> {
  const { caFile, certFile, keyFile } = files;
  const ca = await readPem("tls.ca_file", caFile, "CERTIFICATE");
  const cert = await readPem("tls.cert_file", certFile, "CERTIFICATE");
  const key = await readPem("tls.key_file", keyFile, "PRIVATE KEY");
  return {
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
  };
}

async function readPem(
  key: string,
  file: string | undefined,
  kind: string,
): Promise<string | undefined> {
  if (file === undefined) {
    return undefined;
  }
  const origin = `${key} ${file}`;
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    throw new Failure(
      `${origin}: ${(error as Error).message}`,
      key === "tls.ca_file"
        ? "put the collector's authority there: its /ca.pem, or run the line of `sluice enroll new` again"
        : "correct the path, or let the agent's user read it",
      EXIT.config,
      { cause: error },
    );
  }
  if (!text.includes(`${kind}-----`)) {
    throw new Failure(
      `${origin} is not in PEM`,
      `it begins with -----BEGIN ${kind}-----`,
      EXIT.config,
    );
  }
  return text;
}
