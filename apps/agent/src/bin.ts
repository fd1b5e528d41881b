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
// A host's memory is not the agent's (docs/decisions/0006-the-agent-is-one-file.md). Two threads are
// what compression can use, and what each batch leaves behind is collected soon, not late.
process.env["UV_THREADPOOL_SIZE"] ??= "2";
setFlagsFromString("--semi-space-growth-factor=1");
setFlagsFromString("--optimize-for-size");
// What only a start needs, such as reading the configuration, is not kept compiled.
setFlagsFromString("--bytecode-old-age=2");
setFlagsFromString("--flush-baseline-code");
// The optimizing compiler is 5 MiB, which a backlog is worth at once, and a quiet host never.
setFlagsFromString("--invocation-count-for-turbofan=100000");
// Without a top-level await, which the one file that this becomes cannot have.
void import("./main.js").then(({ main }) => main(process.argv));
