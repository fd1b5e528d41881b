#!/usr/bin/env node
// Checked before anything else is loaded: older versions crash on the native addon.
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (major < 22 || (major === 22 && minor < 15)) {
  process.stderr.write(
    `sluice needs Node.js 22.15 or newer, and this is ${process.versions.node}.\n`,
  );
  process.exit(2);
}
const { main } = await import("./main.js");
await main(process.argv);
