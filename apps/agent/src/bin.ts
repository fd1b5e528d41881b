#!/usr/bin/env node
import { setFlagsFromString } from "node:v8";

// Checked before anything else is loaded: older versions fail on the imports with a stack trace.
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (major < 22 || (major === 22 && minor < 15)) {
  process.stderr.write(
    `sluice-agent needs Node.js 22.15 or newer, and this is ${process.versions.node}.\n`,
  );
  process.exit(2);
}
// A reload that is asked for before the agent is up must not end it; it reads its configuration then anyway.
if (process.argv[2] === "run") {
  process.on("SIGHUP", () => undefined);
}
// A host's memory is not the agent's. Two threads are what compression can use, and what each batch
// leaves behind is collected soon, not late: the peak at full speed falls from 141 to 96 MiB, the
// rate stays (docs/performance.md).
process.env["UV_THREADPOOL_SIZE"] ??= "2";
setFlagsFromString("--semi-space-growth-factor=1");
setFlagsFromString("--optimize-for-size");
// Without a top-level await, which the one file that this becomes cannot have.
void import("./main.js").then(({ main }) => main(process.argv));
