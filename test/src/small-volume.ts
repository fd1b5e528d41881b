import { execFileSync } from "node:child_process";
import { closeSync, mkdirSync, openSync, rmSync, statfsSync, writeSync } from "node:fs";
import { join } from "node:path";

const MiB = 1024 * 1024;

/** Why no file system can be mounted here; undefined where one can. */
export function mountingRefused(): string | undefined {
  if (process.platform !== "linux" || process.getuid?.() !== 0) {
    return "a small file system is mounted by root on Linux only";
  }
  try {
    execFileSync("unshare", ["--mount", "mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", "/mnt"], {
      stdio: "ignore",
    });
    return undefined;
  } catch {
    return "this machine lets nobody mount a file system";
  }
}

/** A tmpfs of a few MiB, and a file of another program that takes its room. Disposal unmounts it. */
export class SmallVolume implements Disposable {
  readonly path: string;
  readonly #filler: string;

  constructor(path: string, sizeMiB: number) {
    this.path = path;
    this.#filler = join(path, "filler");
    mkdirSync(path, { recursive: true });
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${sizeMiB}m,mode=700`, "tmpfs", path]);
  }

  get freeMiB(): number {
    const { bavail, bsize } = statfsSync(this.path);
    return (bavail * bsize) / MiB;
  }

  /** Another program writes until so little is left; with 0 until its write fails. */
  fill(leftMiB: number): void {
    const file = openSync(this.#filler, "a");
    const block = Buffer.alloc(MiB / 4, "x");
    const leastMiB = leftMiB === 0 ? -1 : leftMiB;
    try {
      while (this.freeMiB > leastMiB) {
        writeSync(file, block);
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
    } finally {
      closeSync(file);
    }
  }

  /** The other program gives its room back. */
  relieve(): void {
    rmSync(this.#filler, { force: true });
  }

  [Symbol.dispose](): void {
    // Lazily: a collector that a failed test has left behind may still hold files.
    execFileSync("umount", ["--lazy", this.path]);
  }
}
