import { mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { getEnvironmentData, setEnvironmentData } from "node:worker_threads";
import { EXIT, Failure } from "@sluice/service";

import { embedded } from "./embedded.ts";

/** What the executable carries SQLite's addon as. */
const ASSET = "better_sqlite3.node";

/** Under which threads are told where it is. */
const PATH_KEY = "sluice-addon";

/**
 * SQLite's addon, out of the executable. Only a file can be loaded: it is written to a folder that nobody
 * else may enter, opened, and unlinked at once, so that nothing is left behind, whatever ends the process, and nobody can
 * put another in its place. All threads load it by the descriptor: two copies in one process would not see each other's
 * locks on a database.
 *
 * @throws Failure where no folder for temporary files lets its files be executed
 */
export function loadAddon(): unknown {
  const known = getEnvironmentData(PATH_KEY);
  if (typeof known === "string") {
    return load(known);
  }
  const refused: string[] = [];
  for (const folder of foldersToTry()) {
    try {
      const path = placeIn(folder);
      const addon = load(path);
      setEnvironmentData(PATH_KEY, path);
      return addon;
    } catch (error) {
      refused.push(`${folder}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  throw new Failure(
    `SQLite cannot be loaded from any folder for temporary files\n  ${refused.join("\n  ")}`,
    "set TMPDIR to a folder on a file system that is not mounted noexec",
    EXIT.failed,
  );
}

/** A server often has its /tmp without execution. */
function foldersToTry(): Set<string> {
  const { RUNTIME_DIRECTORY, STATE_DIRECTORY } = process.env;
  const all = [tmpdir(), RUNTIME_DIRECTORY, "/var/tmp", "/dev/shm", STATE_DIRECTORY];
  return new Set(all.filter((folder) => folder !== undefined));
}

/** A path that works in each thread of this process for as long as it lives. */
function placeIn(parent: string): string {
  const folder = mkdtempSync(join(parent, "sluice-")); // mode 0700
  try {
    const file = join(folder, ASSET);
    writeFileSync(file, new Uint8Array(embeddedAsset()), { mode: 0o500, flag: "wx" });
    return `/proc/self/fd/${openSync(file, "r")}`; // never closed
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function embeddedAsset(): ArrayBuffer {
  const asset = embedded()?.getRawAsset(ASSET);
  if (asset === undefined) {
    throw new Error("not an executable that carries SQLite's addon");
  }
  return asset;
}

function load(path: string): unknown {
  const loaded = { exports: {} };
  process.dlopen(loaded, path);
  return loaded.exports;
}
