import { createHash, X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createSecureContext, type SecureContextOptions, type TlsOptions } from "node:tls";
import { EXIT, Failure } from "@sluice/service";

/** Where the configuration says that the certificates lie; absolute paths. */
export interface TlsPaths {
  readonly certFile: string;
  readonly keyFile: string;
  /** The authority that agents are told to trust; undefined where their systems' are enough. */
  readonly caFile: string | undefined;
  /** Agents must show a certificate that this authority has signed. */
  readonly clientCaFile: string | undefined;
}

/** What the files hold, read and found to belong together. */
export interface TlsMaterial {
  readonly certificate: X509Certificate;
  readonly ca: string | undefined;
  readonly options: SecureContextOptions;
}

/**
 * Reads certificates and key.
 *
 * @throws Failure with exit code 78 that names the file
 */
export async function readTlsFiles(paths: TlsPaths): Promise<TlsMaterial> {
  const { certFile, keyFile, caFile, clientCaFile } = paths;
  const cert = await readText("tls.cert_file", certFile);
  const key = await readText("tls.key_file", keyFile);
  const ca = caFile === undefined ? undefined : await readText("tls.ca_file", caFile);
  const clientCa =
    clientCaFile === undefined ? undefined : await readText("tls.client_ca_file", clientCaFile);
  const certificate = parse("tls.cert_file", certFile, cert);
  if (ca !== undefined && caFile !== undefined) {
    parse("tls.ca_file", caFile, ca);
  }
  const options: SecureContextOptions = {
    cert,
    key,
    minVersion: "TLSv1.2",
    ...(clientCa !== undefined && { ca: clientCa }),
  };
  try {
    createSecureContext(options);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why =
      code === "ERR_OSSL_X509_KEY_VALUES_MISMATCH"
        ? `is not the key of ${certFile}`
        : `cannot be used: ${message}`;
    throw new Failure(
      `tls.key_file ${keyFile} ${why}`,
      "name the key that the certificate was made for",
      EXIT.config,
      { cause: error },
    );
  }
  return { certificate, ca, options };
}

/** How the server is made; certificates of clients are asked for where an authority is to sign them. */
export function tlsServerOptions({ options }: TlsMaterial): TlsOptions {
  // Who has none may still install, enrol and ask: it is the upgrade of agents that insists.
  return { ...options, requestCert: options.ca !== undefined, rejectUnauthorized: false };
}

/** `sha256:` and the digest of a certificate's DER: what `openssl x509 -fingerprint -sha256` prints, without colons. */
export function fingerprintOf(pem: string): string {
  const { raw } = new X509Certificate(pem);
  return `sha256:${createHash("sha256").update(raw).digest("hex")}`;
}

async function readText(key: string, file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new Failure(
      `${key} ${file}: ${code === "ENOENT" ? "there is no such file" : message}`,
      code === "EACCES"
        ? "let the collector's user read it"
        : "make certificates with `sluice init`, or correct the path",
      EXIT.config,
      { cause: error },
    );
  }
}

function parse(key: string, file: string, text: string): X509Certificate {
  try {
    return new X509Certificate(text);
  } catch (error) {
    throw new Failure(
      `${key} ${file} holds no certificate in PEM`,
      "name a file that begins with -----BEGIN CERTIFICATE-----",
      EXIT.config,
      { cause: error },
    );
  }
}
