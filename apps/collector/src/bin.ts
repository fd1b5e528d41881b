#!/usr/bin/env node
import { setFlagsFromString } from "node:v8";

// Checked before anything else is loaded: older versions crash on the native addon, or know no zstd dictionaries.
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (major < 24 || (major === 24 && minor < 6)) {
  process.stderr.write(
    `sluice needs Node.js 24.6 or newer, and this is ${process.versions.node}.\n`,
  );
  process.exit(2);
}
// V8 lets the heaps of a machine of many gigabytes grow to hundreds of megabytes before it collects them:
// sockets that came and went made 460 MiB of a collector under attack (docs/performance.md).
for (const flag of [
  "--heap-growing-percent=20",
  "--initial-old-space-size=48",
  "--semi-space-growth-factor=1",
]) {
  setFlagsFromString(flag);
}
// Without a top-level await, which the one file that this becomes cannot have.
void import("./main.js").then(({ main }) => main(process.argv));
