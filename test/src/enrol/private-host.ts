import { spawn, spawnSync } from "node:child_process";
import { text } from "node:stream/consumers";

import { CommandLineWatch } from "./command-line-watch.ts";

const TIMEOUT_MS = 50_000;

/** What an installation writes: each gets a layer of its own that nobody else sees. */
const LAYERED = ["/etc", "/usr/local/bin", "/var/lib"];

/**
 * Puts layers over the folders of this machine, in a mount namespace of its own, and this Node where
 * every user may run it; then goes on with what comes on stdin, as a shell that is typed into.
 */
const SETUP = `set -e
layers=$(mktemp -d)
mount -t tmpfs tmpfs "$layers"
for folder in ${LAYERED.join(" ")}; do
  mkdir -p "$layers$folder/upper" "$layers$folder/work"
  mount -t overlay overlay -o "lowerdir=$folder,upperdir=$layers$folder/upper,workdir=$layers$folder/work" "$folder"
done
touch /usr/local/bin/node
mount --bind "$NODE" /usr/local/bin/node
for program in $HIDDEN; do
  ! [ -e "/usr/bin/$program" ] || mount --bind /dev/null "/usr/bin/$program"
done
exec sh -s`;

export interface Session {
  readonly code: number | null;
  readonly output: string;
  /** Command lines, of all processes that ran meanwhile, that held one of the secrets. */
  readonly leaks: readonly string[];
}

/** Why installations cannot be tried here; undefined where they can. */
export function privateHostRefused(): string | undefined {
  const probe = `d=$(mktemp -d) && mount -t tmpfs tmpfs $d && mkdir $d/u $d/w && mount -t overlay overlay -o lowerdir=/etc,upperdir=$d/u,workdir=$d/w /etc`;
  const { status } = spawnSync("unshare", ["--mount", "sh", "-c", probe]);
  return status === 0 ? undefined : "needs root, a mount namespace and overlayfs";
}

/** Types lines into a shell of root on a host that has this machine's files and keeps its changes to itself. */
export async function typeOnPrivateHost(
  lines: readonly string[],
  {
    hidden = [],
    secrets,
  }: { readonly hidden?: readonly string[]; readonly secrets: readonly string[] },
): Promise<Session> {
  const child = spawn("unshare", ["--mount", "--fork", "--kill-child", "sh", "-c", SETUP], {
    timeout: TIMEOUT_MS,
    killSignal: "SIGKILL",
    stdio: ["pipe", "pipe", "pipe"],
    env: {
      PATH: "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
      HOME: "/nonexistent",
      NO_COLOR: "1",
      NODE: process.execPath,
      HIDDEN: hidden.join(" "),
    },
  });
  child.stdin.on("error", () => undefined); // a shell that has failed does not read on
  child.stdin.end(`${lines.join("\n")}\n`);
  using watch = new CommandLineWatch(secrets);
  const [code, out, err] = await Promise.all([
    new Promise<number | null>((resolve) => child.once("close", resolve)),
    text(child.stdout),
    text(child.stderr),
  ]);
  return { code, output: out + err, leaks: watch.leaks };
}
