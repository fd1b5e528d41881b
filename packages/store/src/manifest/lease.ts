import { randomUUID } from "node:crypto";
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";

import { giveToOwnerOf } from "./owner.ts";

const FOLDER = "leases";

/** `VERSION-EXPIRY-UUID-PROCESS`, the expiry in milliseconds since 1970. */
const NAME = /^(\d+)-(\d+)-[0-9a-f-]{36}-(\d+)$/;

/**
 * Keeps what a manifest version holds from being deleted while somebody reads it: an empty file, so
 * that other processes can take one without waiting for the writer. Its time runs out by itself,
 * because a reader that was killed cannot give it back.
 *
 * Take it with the version that was read before, then read the manifest. Where the reclaimer has not
 * found the lease, the manifest was read after it looked, and shows nothing that it deletes: it takes only
 * what was removed up to the version that it had read before it looked.
 */
export class Lease implements Disposable {
  readonly #path: string;

  private constructor(path: string) {
    this.#path = path;
  }

  static take(dataDir: string, version: number, expiresMs: number): Lease {
    const folder = join(dataDir, FOLDER);
    const path = join(folder, `${version}-${Math.ceil(expiresMs)}-${randomUUID()}-${process.pid}`);
    try {
      closeSync(openSync(path, "wx", 0o600));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") {
        throw error;
      }
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      giveToOwnerOf(dataDir, folder);
      closeSync(openSync(path, "wx", 0o600));
    }
    return new Lease(path);
  }

  [Symbol.dispose](): void {
    rmSync(this.#path, { force: true });
  }
}

/** The lowest version that somebody reads; Infinity where nobody does. Removes leases whose time has run out. */
export function lowestLease(dataDir: string, nowMs: number): number {
  const folder = join(dataDir, FOLDER);
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") {
      return Number.POSITIVE_INFINITY;
    }
    throw error;
  }
  let lowest = Number.POSITIVE_INFINITY;
  for (const name of names) {
    const match = NAME.exec(name);
    if (match === null) {
      continue;
    }
    if (Number(match[2]) < nowMs) {
      rmSync(join(folder, name), { force: true });
    } else {
      lowest = Math.min(lowest, Number(match[1]));
    }
  }
  return lowest;
}

/**
 * Removes the leases of processes that are gone, and of this one, which has just begun: a backup that was
 * killed would keep what is deleted on the disk for half an hour. For the start of a store, when nothing
 * that was removed is kept for anybody.
 */
export function dropDeadLeases(dataDir: string): void {
  const folder = join(dataDir, FOLDER);
  for (const name of existsSync(folder) ? readdirSync(folder) : []) {
    const match = NAME.exec(name);
    if (match !== null && !isAnotherAlive(Number(match[3]))) {
      rmSync(join(folder, name), { force: true });
    }
  }
}

function isAnotherAlive(pid: number): boolean {
  try {
    return pid !== process.pid && process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ESRCH"; // another user's
  }
}
