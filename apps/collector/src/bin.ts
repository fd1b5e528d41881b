#!/usr/bin/env node
// Checked before anything else is loaded: older versions crash on the native addon, or know no zstd dictionaries.
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (major < 24 || (major === 24 && minor < 6)) {
  process.stderr.write(
    `sluice needs Node.js 24.6 or newer, and this is ${process.versions.node}.\n`,
  );
  process.exit(2);
}
// Without a top-level await, which the one file that this becomes cannot have.
void import("./main.js").then(({ main }) => main(process.argv));
