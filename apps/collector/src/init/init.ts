import { existsSync } from "node:fs";
import { chmod, mkdir, readFile } from "node:fs/promises";
import { createInterface } from "node:readline/promises";
import { standardPaths } from "@sluice/config";
import { EXIT, Failure, parseListen } from "@sluice/service";
import { StoreError, StoreLock } from "@sluice/store";

import { keyFilePath, readKeyFile } from "../access/key-file.ts";
import { Keyring } from "../access/keyring.ts";
import { DEFAULT_PORT } from "../config.ts";
import { type CertificateState, ensureCertificate, ownTlsFiles } from "../tls/own-certificate.ts";
import { fingerprintOf } from "../tls/tls-files.ts";
import { type ConfigChange, missingTls, setConfig } from "./config-file.ts";
import { findHostNames, isHostName, LOCAL_NAMES } from "./host-names.ts";
import { findOwner, giveTo, type Owner } from "./owner.ts";

export interface InitOptions {
  readonly config: string | undefined;
  readonly dataDir: string | undefined;
  readonly listen: string | undefined;
  /** Names and addresses for the certificate; empty: those that are found, or asked for. */
  readonly names: readonly string[];
  readonly publicUrl: string | undefined;
  readonly productsDir: string | undefined;
  readonly user: string | undefined;
  readonly renew: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** What `sluice init` found and made. */
export interface InitReport {
  readonly configFile: string;
  readonly configChange: ConfigChange;
  /** Lines to add to a configuration that was there already and names no certificate. */
  readonly toAdd: string | undefined;
  readonly dataDir: string;
  readonly owner: string | undefined;
  readonly listen: string;
  readonly caFile: string;
  readonly fingerprint: string;
  readonly certificate: CertificateState;
  /** The only time that it is shown; undefined where there is one already. */
  readonly adminToken: string | undefined;
}

/**
 * Sets a collector up: data folder, authority and certificate, configuration, admin token. What is
 * there stays: a second run makes only what is missing.
 *
 * @throws Failure that says what to do
 */
export async function initCollector(options: InitOptions): Promise<InitReport> {
  const paths = standardPaths({ product: "collector", uid: process.getuid?.(), env: options.env });
  const configFile = options.config ?? (paths.ok ? paths.value.configFile : undefined);
  const dataDir = options.dataDir ?? (paths.ok ? paths.value.stateDir : undefined);
  if (configFile === undefined || dataDir === undefined) {
    throw new Failure(
      paths.ok ? "" : paths.error,
      "name them: --config FILE --data-dir DIR",
      EXIT.usage,
    );
  }
  const listen = options.listen ?? `0.0.0.0:${DEFAULT_PORT}`;
  if (parseListen(listen) === undefined) {
    throw new Failure(`${listen} is not an address`, "write it as 0.0.0.0:7514", EXIT.usage);
  }
  const owner = findOwner(options.user);
  const files = ownTlsFiles(dataDir);
  await makeDataDir(dataDir, owner);
  const isFirst = !existsSync(files.certFile);
  const wanted = options.names.length > 0 || !isFirst ? options.names : await chooseNames();
  const bad = wanted.find((name) => !isHostName(name));
  if (bad !== undefined) {
    throw new Failure(
      `${bad} is neither a host's name nor an address`,
      "give what agents connect to, without https:// and port: --name logs.example.net",
      EXIT.usage,
    );
  }
  const certificate = await ensureCertificate(files, {
    names: [...wanted, ...(isFirst ? LOCAL_NAMES : [])],
    renew: options.renew,
    nowMs: Date.now(),
  });
  await giveTo(owner, files.dir, files.caFile, files.caKeyFile, files.certFile, files.keyFile);
  const initial = { ...options, ...files, listen, dataDir };
  const configChange = await setConfig(configFile, initial);
  return {
    configFile,
    configChange,
    toAdd: configChange === "kept" ? await missingTls(configFile, initial) : undefined,
    dataDir,
    owner: owner?.name,
    listen,
    caFile: files.caFile,
    fingerprint: fingerprintOf(await readFile(files.caFile, "utf8")),
    certificate,
    adminToken: await mintAdminToken(dataDir, owner),
  };
}

async function makeDataDir(dataDir: string, owner: Owner | undefined): Promise<void> {
  try {
    const isNew = (await mkdir(dataDir, { recursive: true, mode: 0o700 })) !== undefined;
    if (isNew) {
      await chmod(dataDir, 0o700);
      await giveTo(owner, dataDir);
    }
  } catch (error) {
    throw new Failure(
      `cannot make ${dataDir}: ${(error as Error).message}`,
      "run it as root, or name folders of your own: --config FILE --data-dir DIR",
      EXIT.failed,
      { cause: error },
    );
  }
}

/** What is found, or what a person at a terminal says instead. */
async function chooseNames(): Promise<readonly string[]> {
  const found = await findHostNames();
  if (!process.stdin.isTTY || !process.stderr.isTTY) {
    return found;
  }
  const prompt = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await prompt.question(
      `By which names and addresses do hosts reach this collector?\n[${found.join(" ")}]: `,
    );
    const said = answer.split(/[\s,]+/).filter((name) => name !== "");
    return said.length === 0 ? found : said;
  } finally {
    prompt.close();
  }
}

/** Under the folder's lock: a collector that runs would write over what we write. */
async function mintAdminToken(
  dataDir: string,
  owner: Owner | undefined,
): Promise<string | undefined> {
  const known = await readKeyFile(dataDir);
  const hasAdmin = known?.tokens.some(
    ({ scope, revokedMs }) => scope === "admin" && revokedMs === null,
  );
  if (hasAdmin === true) {
    return undefined;
  }
  try {
    using _lock = StoreLock.acquire(dataDir);
    const keyring = await Keyring.load(dataDir, Date.now);
    const { secret } = await keyring.mintToken({ name: "admin", scope: "admin", ttlMs: undefined });
    await giveTo(owner, keyFilePath(dataDir));
    return secret;
  } catch (error) {
    if (error instanceof StoreError && error.code === "data-locked") {
      return undefined; // It runs: `sluice tokens new --scope admin` asks it.
    }
    throw error;
  }
}
