import { execFileSync } from "node:child_process";
import { chown } from "node:fs/promises";
import { EXIT, Failure } from "@sluice/service";

/** Whose the collector's files are. */
export interface Owner {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/** The user that packages and units run the collector as. */
const USUAL_USER = "sluice";

/**
 * Whom to give the files to: the user named, else `sluice` where there is one. Undefined where
 * they stay with whoever runs this; only root can give files away.
 *
 * @throws Failure where the user named does not exist
 */
export function findOwner(wanted: string | undefined): Owner | undefined {
  if (process.geteuid?.() !== 0) {
    return undefined;
  }
  const name = wanted ?? USUAL_USER;
  // passwd(5): name, password, uid, gid
  const [, , uid, gid] = passwdOf(name)?.split(":") ?? [];
  if (uid !== undefined && gid !== undefined) {
    return { name, uid: Number(uid), gid: Number(gid) };
  }
  if (wanted !== undefined) {
    throw new Failure(
      `there is no user ${wanted}`,
      `make it with: useradd --system --no-create-home ${wanted}`,
      EXIT.usage,
    );
  }
  return undefined;
}

export async function giveTo(owner: Owner | undefined, ...paths: readonly string[]): Promise<void> {
  if (owner !== undefined) {
    await Promise.all(paths.map((path) => chown(path, owner.uid, owner.gid)));
  }
}

/** getent(1): also what comes from a directory service. */
function passwdOf(name: string): string | undefined {
  try {
    return execFileSync("getent", ["passwd", name], { encoding: "utf8" });
  } catch {
    return undefined; // 2: not there.
  }
}
