import { BUILD_STAMP, type BuildStamp } from "./build-stamp.ts";

/** What `--version` prints: `sluice 0.1.0 (linux-x64, Node.js 24.21.0, commit 1f2e3d4c5b6a of 2026-11-26)`. */
export function versionText(
  name: string,
  version: string,
  stamp: BuildStamp | undefined = BUILD_STAMP,
): string {
  const origin =
    stamp === undefined ? "built in a checkout" : `commit ${stamp.commit} of ${stamp.date}`;
  const platform = `${process.platform}-${process.arch}`;
  return `${name} ${version} (${platform}, Node.js ${process.versions.node}, ${origin})`;
}
