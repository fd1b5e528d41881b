import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { chmod, link, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { pipeline } from "node:stream/promises";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { Failure } from "@sluice/service";

import type { AgentStatus } from "../status/status-document.ts";
import type { ReleaseSource } from "./release-source.ts";

const execute = promisify(execFile);

/** How long the new agent may take to connect: it reads its state first. */
export const HEALTHY_WITHIN_MS = 60_000;

const LOOK_EVERY_MS = 250;
const VERSION_TIMEOUT_MS = 30_000;

/** The service that runs the program. */
interface UpgradedService {
  isActive(): Promise<boolean>;
  /** Rejects where it does not come up. */
  restart(): Promise<void>;
}

export interface UpgradeParts {
  readonly source: Pick<ReleaseSource, "sums" | "download" | "origin">;
  /** The name under which the collector offers this program. */
  readonly product: string;
  /** The program that is replaced. */
  readonly file: string;
  readonly service: UpgradedService;
  /** What the running agent says of itself; undefined where none runs. */
  readonly status: () => Promise<Pick<AgentStatus, "pid" | "connection"> | undefined>;
  readonly healthyWithinMs: number;
  readonly say: (line: string) => void;
}

/**
 * Puts the collector's build of the agent in this one's place: checked against its sum and by running it, renamed
 * over the old one, and taken back where the service does not come up with it. At each moment a whole program is in
 * its place.
 *
 * @throws Failure where nothing was changed, or where it was changed back
 */
export async function upgrade(parts: UpgradeParts): Promise<void> {
  const { source, product, file, say } = parts;
  const wanted = (await source.sums()).get(product);
  if (wanted === undefined) {
    throw new Failure(
      `${source.origin} offers no ${product}`,
      "put it into the collector's products_dir, with SHA256SUMS as `pnpm products` writes it",
    );
  }
  if ((await sha256(file)) === wanted) {
    say(`${file} is what ${source.origin} offers: nothing to do`);
    return;
  }
  const fresh = `${file}.new`;
  try {
    await fetchVerified(parts, wanted, fresh);
    say(`downloaded ${await versionOf(fresh)}`);
    await exchange(parts, fresh);
  } finally {
    await rm(fresh, { force: true });
  }
}

async function fetchVerified(
  { source, product }: UpgradeParts,
  wanted: string,
  to: string,
): Promise<void> {
  const got = await source.download(product, to);
  if (got !== wanted) {
    throw new Failure(
      `${product} is not what SHA256SUMS says: ${got}, not ${wanted}`,
      "nothing was changed; look at the collector's products_dir: build or copy both anew",
    );
  }
  await chmod(to, 0o755);
}

/** It has to run here, whatever its sum says: another platform's does not. */
async function versionOf(file: string): Promise<string> {
  try {
    const { stdout } = await execute(file, ["--version"], { timeout: VERSION_TIMEOUT_MS });
    if (stdout.startsWith("sluice-agent ")) {
      return stdout.trim();
    }
    throw new Error(`it says ${JSON.stringify(stdout.slice(0, 80))}`);
  } catch (cause) {
    throw new Failure(
      `what was downloaded does not run on this host: ${(cause as Error).message.trim()}`,
      "nothing was changed",
      undefined,
      { cause },
    );
  }
}

async function exchange(parts: UpgradeParts, fresh: string): Promise<void> {
  const { file, service, say } = parts;
  const previous = `${file}.previous`;
  const isActive = await service.isActive();
  const before = isActive ? await parts.status().catch(() => undefined) : undefined;
  await rm(previous, { force: true });
  await link(file, previous);
  await replace(fresh, file);
  if (!isActive) {
    await rm(previous);
    say(`replaced   ${file}; no service runs it here: start your agent anew`);
    return;
  }
  const trouble = await startAnew(parts, before);
  if (trouble === undefined) {
    await rm(previous);
    say(`replaced   ${file}; the service runs it and is connected`);
    return;
  }
  await replace(previous, file);
  await service.restart();
  throw new Failure(
    `the new agent is not well (${trouble}), so the old one runs again`,
    "see what it said: journalctl -u sluice-agent -n 50",
  );
}

/** What is wrong with the agent after its restart; undefined where it is well. */
async function startAnew(
  { service, status, healthyWithinMs }: UpgradeParts,
  before: Awaited<ReturnType<UpgradeParts["status"]>>,
): Promise<string | undefined> {
  try {
    await service.restart();
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  // One that was not connected before proves nothing by not being so now.
  const mustConnect = before?.connection.state === "connected";
  const endMs = performance.now() + healthyWithinMs;
  let last = "it does not answer";
  while (performance.now() < endMs) {
    const now = await status().catch(() => undefined);
    if (now !== undefined && now.pid !== before?.pid) {
      if (!mustConnect || now.connection.state === "connected") {
        return undefined;
      }
      last = `it is ${now.connection.state}`;
    }
    await delay(LOOK_EVERY_MS);
  }
  return `${last} after ${Math.round(healthyWithinMs / 1000)} s`;
}

/** Renames, and makes it last: after a power cut one of the two is there. */
async function replace(from: string, to: string): Promise<void> {
  await rename(from, to);
  const folder = await open(dirname(to), "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

async function sha256(file: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(file), hash);
  return hash.digest("hex");
}
