import { appendFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import type { Product } from "./product.ts";
import { Site } from "./site.ts";
import { StoredData } from "./stored.ts";
import {
  isSent,
  isSyncOf,
  readTrace,
  traceCommand,
  type TracedCall,
  tracingRefused,
} from "./system-trace.ts";

/** What contradicts that the place where a stream begins outlives its agent, in sentences. */
export async function findInitialCursorProblems(product: Product): Promise<string[]> {
  const found = await Promise.all([
    killedBeforeTheFirstAck(product),
    tracingRefused() === undefined ? openedBehindTheDisk(product) : [],
  ]);
  return found.flat();
}

/** For a stored line that may never come. */
const SHORT_MS = 3_000;

/** `start: end`, and an agent that is killed before any collector has heard of its file. */
async function killedBeforeTheFirstAck(product: Product): Promise<string[]> {
  await using site = new Site(product);
  const { collector, port } = await site.startCollector();
  await collector.stop();
  const path = join(site.logDir, "app.log");
  const start = { port, files: [path], start: "end" } as const;
  writeFileSync(path, "before the first start\n");
  const agent = await site.startAgent(start);
  await agent.kill();
  appendFileSync(path, "while it was down\n");
  await site.startCollector({ port });
  await site.startAgent(start);
  appendFileSync(path, "after\n");
  await site.untilStored(1);
  await site.untilStored(2, SHORT_MS).catch(() => undefined);
  using data = StoredData.open(site.dataDir);
  const stored = data.bytes(path).toString();
  return stored === "while it was down\nafter\n"
    ? []
    : [`stored is only ${JSON.stringify(stored)}`];
}

/** The state that knows a new file is synced, gets its name, and that is synced: then its stream is opened. */
async function openedBehindTheDisk(product: Product): Promise<string[]> {
  await using site = new Site(product);
  const { port } = await site.startCollector();
  const trace = join(site.dir, "trace");
  const agent = await site.startAgent({
    port,
    files: [join(site.logDir, "*.log")],
    wrapper: traceCommand(trace),
  });
  await agent.logged(({ msg }) => msg === "connected");
  const path = join(site.logDir, "app.log");
  writeFileSync(path, "one\n");
  await site.untilStored(1);
  await agent.stop();
  const state = join(site.stateDir, "state.json");
  const calls = readTrace(trace);
  const steps: ReadonlyArray<readonly [string, (call: TracedCall) => boolean]> = [
    ["written", ({ name, args }) => name === "write" && args.includes(path)],
    ["synced", (call) => isSyncOf(call, `${state}.tmp`)],
    ["renamed", ({ name, args }) => name === "rename" && args.includes(`${state}.tmp`)],
    ["synced by name", (call) => isSyncOf(call, site.stateDir)],
  ];
  // The upgrade and the hello come before; nothing else is there to be said.
  const opened = calls.filter(isSent)[2]?.enteredAt ?? 0;
  let at = -1;
  for (const [step, matches] of steps) {
    const found = calls.find((call) => call.enteredAt > at && matches(call));
    if (found === undefined || found.leftAt > opened) {
      return [`a stream is opened before the state that knows its file is ${step}`];
    }
    at = found.leftAt;
  }
  return [];
}
