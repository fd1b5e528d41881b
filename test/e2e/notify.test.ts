import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect, test } from "vitest";

import { PRODUCT } from "../src/product.ts";
import { Site } from "../src/site.ts";

const LISTENER = join(PRODUCT.root, "packages/service/test/systemd/notify-listener.py");

const missing = ["systemd-notify", "python3"].filter(
  (tool) => spawnSync(tool, ["--version"]).status !== 0,
);

/** A socket in systemd's place, and what was sent to it. */
async function listen(socket: string) {
  const child = spawn("python3", [LISTENER, socket], { stdio: ["ignore", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  expect(await lines.next()).toMatchObject({ value: "bound" });
  return {
    /** The names of what is said next, but for a barrier. */
    next: async (): Promise<string> => {
      for (;;) {
        const { value } = await lines.next();
        const said = (JSON.parse(String(value)) as string).split("\n").filter(Boolean);
        const names = said.map((pair) => pair.split("=")[0]).join(" ");
        if (names !== "BARRIER") return names;
      }
    },
    [Symbol.asyncDispose]: async () => {
      child.kill();
      await once(child, "exit");
    },
  };
}

test("both services tell systemd when they are ready, alive, reloading and stopping", async ({
  skip,
}) => {
  if (missing.length > 0) skip(`needs ${missing.join(" and ")}`);
  await using site = new Site();
  const log = join(site.logDir, "app.log");
  writeFileSync(log, "one\n");

  const ofCollector = join(site.dir, "collector.notify");
  await using collectorSays = await listen(ofCollector);
  const wrapper = (socket: string): string[] => [
    "env",
    `NOTIFY_SOCKET=${socket}`,
    "WATCHDOG_USEC=600000",
  ];
  const { port, collector } = await site.startCollector({ wrapper: wrapper(ofCollector) });
  expect(await collectorSays.next()).toBe("READY STATUS");
  expect(await collectorSays.next()).toBe("WATCHDOG");

  const ofAgent = join(site.dir, "agent.notify");
  await using agentSays = await listen(ofAgent);
  const agent = await site.startAgent({ port, files: [log], wrapper: wrapper(ofAgent) });
  expect(await agentSays.next()).toBe("READY STATUS");
  expect(await agentSays.next()).toBe("WATCHDOG");
  agent.signal("SIGHUP");
  const untilSaid = async (says: typeof agentSays, what: string): Promise<string[]> => {
    const said = [await says.next()];
    while (said.at(-1) !== what) said.push(await says.next());
    return said.filter((names) => names !== "WATCHDOG");
  };
  expect(await untilSaid(agentSays, "READY STATUS")).toEqual([
    "RELOADING MONOTONIC_USEC",
    "READY STATUS",
  ]);

  expect(await agent.stop()).toEqual({ code: 0, signal: null });
  expect(await untilSaid(agentSays, "STOPPING STATUS")).toEqual(["STOPPING STATUS"]);
  expect(await collector.stop()).toEqual({ code: 0, signal: null });
  expect(await untilSaid(collectorSays, "STOPPING STATUS")).toEqual(["STOPPING STATUS"]);
});

test("a stopped event loop beats no more", async ({ skip }) => {
  if (missing.length > 0) skip(`needs ${missing.join(" and ")}`);
  await using site = new Site();
  const socket = join(site.dir, "notify");
  await using says = await listen(socket);
  const wrapper = ["env", `NOTIFY_SOCKET=${socket}`, "WATCHDOG_USEC=300000"];
  const { collector } = await site.startCollector({ wrapper });
  expect(await says.next()).toBe("READY STATUS");
  expect(await says.next()).toBe("WATCHDOG");
  collector.signal("SIGSTOP");
  // What was on its way arrives; five beats later there was nothing more.
  const silence = Symbol("silence");
  let heard: string | symbol = "";
  let beats = 0;
  while (heard !== silence && beats < 5) {
    heard = await Promise.race([
      says.next(),
      new Promise<symbol>((resolve) => setTimeout(resolve, 750, silence)),
    ]);
    beats += 1;
  }
  expect(heard).toBe(silence);
});
