#!/usr/bin/env node
// Checked before anything else is loaded: older versions crash on the native addon, or know no zstd dictionaries.
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (major < 24 || (major === 24 && minor < 6)) {
  process.stderr.write(
    `sluice needs Node.js 24.6 or newer, and this is ${process.versions.node}.\n`,
  );
  process.exit(2);
}
const { main } = await import("./main.js");
await main(process.argv);
