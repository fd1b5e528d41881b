import { X509Certificate } from "node:crypto";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { replaceFile } from "@sluice/service";

import { namesOf } from "../server/reach.ts";

/** Where `sluice init` puts what it makes: `data_dir/tls`, mode 0700. */
export interface OwnTlsFiles {
  readonly dir: string;
  readonly caFile: string;
  readonly caKeyFile: string;
  readonly certFile: string;
  readonly keyFile: string;
}

export function ownTlsFiles(dataDir: string): OwnTlsFiles {
  const dir = join(dataDir, "tls");
  return {
    dir,
    caFile: join(dir, "ca.pem"),
    caKeyFile: join(dir, "ca.key"),
    certFile: join(dir, "collector.pem"),
    keyFile: join(dir, "collector.key"),
  };
}

export interface CertificateWish {
  /** Names and addresses that it must be for; those it is for already stay. */
  readonly names: readonly string[];
  /** Also where it is good for what is wanted. */
  readonly renew: boolean;
  readonly nowMs: number;
}

export interface CertificateState {
  readonly names: readonly string[];
  readonly expiresMs: number;
  readonly isNew: boolean;
  readonly isAuthorityNew: boolean;
}

/** Makes the authority and the certificate of a collector, where they are missing or not as they should be. */
export async function ensureCertificate(
  files: OwnTlsFiles,
  { names, renew, nowMs }: CertificateWish,
): Promise<CertificateState> {
  // Loaded here: a command that makes no certificate has no need of its encoder.
  const { createAuthority, issueServerCertificate } = await import("./authority.ts");
  await mkdir(files.dir, { recursive: true, mode: 0o700 });
  const known = await readPair(files.caFile, files.caKeyFile);
  const authority = known ?? (await createAuthority(nowMs));
  if (known === undefined) {
    await replaceFile(files.caKeyFile, authority.key);
    await replaceFile(files.caFile, authority.certificate, 0o644);
  }
  const pair = await readPair(files.certFile, files.keyFile);
  const old = pair === undefined ? undefined : new X509Certificate(pair.certificate);
  const oldNames = old === undefined ? [] : namesOf(old);
  const missing = names.filter((name) => !oldNames.includes(name));
  const isSound =
    old !== undefined &&
    known !== undefined &&
    old.validToDate.getTime() > nowMs &&
    old.verify(new X509Certificate(authority.certificate).publicKey);
  if (isSound && missing.length === 0 && !renew) {
    return {
      names: oldNames,
      expiresMs: old.validToDate.getTime(),
      isNew: false,
      isAuthorityNew: false,
    };
  }
  const all = [...new Set([...oldNames, ...names])];
  const issued = await issueServerCertificate(authority, all, nowMs);
  // The key first: a collector that starts in between says that the two do not belong together.
  await replaceFile(files.keyFile, issued.key);
  await replaceFile(files.certFile, issued.certificate, 0o644);
  const expiresMs = new X509Certificate(issued.certificate).validToDate.getTime();
  return { names: all, expiresMs, isNew: true, isAuthorityNew: known === undefined };
}

async function readPair(
  certFile: string,
  keyFile: string,
): Promise<{ readonly certificate: string; readonly key: string } | undefined> {
  try {
    return {
      certificate: await readFile(certFile, "utf8"),
      key: await readFile(keyFile, "utf8"),
    };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") {
      return undefined;
    }
    throw error;
  }
}
