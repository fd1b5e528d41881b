import { readFile, stat } from "node:fs/promises";

/** A user as the kernel knows it. */
interface Credentials {
  readonly uid: number;
  readonly gid: number;
  readonly groups: readonly number[];
}

/**
 * What root can read says nothing of what the agent can: a doctor that runs as root goes on as the
 * agent's user, the one that it runs as, or else the one whose state folder it is.
 *
 * @param pid the agent that is running; undefined where none is
 * @returns the name of the user from here on
 */
export async function becomeAgentUser(stateDir: string, pid: number | undefined): Promise<string> {
  const own = process.geteuid?.() ?? 0;
  if (own !== 0) {
    return nameOf("passwd", own);
  }
  const user = (pid === undefined ? undefined : await ofProcess(pid)) ?? (await ofFolder(stateDir));
  if (user === undefined || user.uid === 0) {
    return nameOf("passwd", own);
  }
  process.setgroups?.([...user.groups]);
  process.setegid?.(user.gid);
  process.seteuid?.(user.uid);
  return nameOf("passwd", user.uid);
}

/** proc(5): `Uid:` and `Gid:` list the real, effective, saved and file system id. */
async function ofProcess(pid: number): Promise<Credentials | undefined> {
  const text = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  const numbers = (field: string): number[] | undefined =>
    new RegExp(`^${field}:\\s+(.*)$`, "m")
      .exec(text)?.[1]
      ?.split(/\s+/)
      .filter(Boolean)
      .map(Number);
  const uid = numbers("Uid")?.[1];
  const gid = numbers("Gid")?.[1];
  return uid === undefined || gid === undefined
    ? undefined
    : { uid, gid, groups: numbers("Groups") ?? [] };
}

async function ofFolder(path: string): Promise<Credentials | undefined> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) {
    return undefined;
  }
  const name = await nameOf("passwd", found.uid);
  return { uid: found.uid, gid: found.gid, groups: await groupsOf(name) };
}

/** passwd(5) and group(5): the name is the first field, the number the third. The number where there is none. */
export async function nameOf(database: "passwd" | "group", id: number): Promise<string> {
  const entry = (await entries(database)).find((fields) => fields[2] === String(id));
  return entry?.[0] ?? String(id);
}

async function groupsOf(user: string): Promise<number[]> {
  const groups = await entries("group");
  return groups
    .filter((fields) => fields[3]?.split(",").includes(user) === true)
    .map((fields) => Number(fields[2]));
}

async function entries(database: "passwd" | "group"): Promise<string[][]> {
  const text = await readFile(`/etc/${database}`, "utf8").catch(() => "");
  return text.split("\n").map((line) => line.split(":"));
}
