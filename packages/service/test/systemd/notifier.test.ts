import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { ServiceNotifier } from "../../src/systemd/notifier.ts";

const LISTENER = join(import.meta.dirname, "notify-listener.py");

const missing = ["systemd-notify", "python3"].filter(
  (tool) => spawnSync(tool, ["--version"]).status !== 0,
);

let dir: string;
let failures: unknown[];
let looks: unknown[];

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "sluice-notify-"));
  failures = [];
  looks = [];
});
afterEach(() => rmSync(dir, { recursive: true }));

function notifier(env: Record<string, string>): ServiceNotifier {
  return new ServiceNotifier({
    env: { PATH: process.env["PATH"], ...env },
    events: { failed: (error) => failures.push(error), unwell: (error) => looks.push(error) },
  });
}

/** A real socket for datagrams, which Node.js cannot make. */
async function listen() {
  const socket = join(dir, "notify");
  const child = spawn("python3", [LISTENER, socket], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  expect(await lines.next()).toMatchObject({ value: "bound" });
  return {
    socket,
    /** The next that says something; barriers of `systemd-notify` do not. */
    next: async (): Promise<Record<string, string>> => {
      for (;;) {
        const { value } = await lines.next();
        const message = JSON.parse(value as string) as string;
        const pairs = message.split("\n").filter((line) => line !== "" && line !== "BARRIER=1");
        if (pairs.length > 0) return Object.fromEntries(pairs.map((pair) => pair.split("=")));
      }
    },
    [Symbol.asyncDispose]: async () => {
      child.kill();
      await once(child, "exit");
    },
  };
}

describe("what systemd is told", () => {
  it("is that the service is ready, takes up its configuration, and stops, in this order", async ({
    skip,
  }) => {
    if (missing.length > 0) skip(`needs ${missing.join(" and ")}`);
    await using systemd = await listen();
    await using told = notifier({ NOTIFY_SOCKET: systemd.socket });
    const all = [told.ready("serving"), told.reloading(), told.ready("again"), told.stopping()];
    await Promise.all(all);
    expect(await systemd.next()).toMatchObject({ READY: "1", STATUS: "serving" });
    const reloading = await systemd.next();
    expect(reloading).toMatchObject({ RELOADING: "1" });
    const uptimeMs = Number(process.hrtime.bigint() / 1_000_000n);
    expect(Math.abs(Number(reloading["MONOTONIC_USEC"]) / 1000 - uptimeMs)).toBeLessThan(10_000);
    expect(await systemd.next()).toMatchObject({ READY: "1", STATUS: "again" });
    expect(await systemd.next()).toMatchObject({ STOPPING: "1" });
    expect(failures).toEqual([]);
  });

  it("is a beat at half of the watchdog's time, for as long as a look succeeds", async ({
    skip,
  }) => {
    if (missing.length > 0) skip(`needs ${missing.join(" and ")}`);
    await using systemd = await listen();
    await using told = notifier({ NOTIFY_SOCKET: systemd.socket, WATCHDOG_USEC: "100000" });
    let isWell = true;
    const unwell = new Error("the writer does not answer");
    const failed = Promise.withResolvers<undefined>();
    told.watch(async () => {
      if (!isWell) {
        failed.resolve(undefined);
        throw unwell;
      }
    });
    expect(await systemd.next()).toEqual({ WATCHDOG: "1" });
    expect(await systemd.next()).toEqual({ WATCHDOG: "1" });
    isWell = false;
    await failed.promise;
    await told.ready("after the last beat");
    // A beat that was under way arrives; behind it there is none.
    const rest = [await systemd.next()];
    while (rest.at(-1)?.["READY"] === undefined) rest.push(await systemd.next());
    expect(rest.length).toBeLessThanOrEqual(2);
    expect(looks).toContain(unwell);
  });

  it("is no second beat while a look has not come back", async ({ skip }) => {
    if (missing.length > 0) skip(`needs ${missing.join(" and ")}`);
    await using systemd = await listen();
    await using told = notifier({ NOTIFY_SOCKET: systemd.socket, WATCHDOG_USEC: "20000" });
    const hung = Promise.withResolvers<undefined>();
    let begun = 0;
    const first = Promise.withResolvers<undefined>();
    told.watch(async () => {
      begun += 1;
      first.resolve(undefined);
      await hung.promise;
    });
    await first.promise;
    await told.ready("one"); // takes longer than several beats
    await told.ready("two");
    expect(begun).toBe(1);
    expect(await systemd.next()).toMatchObject({ STATUS: "one" });
    expect(await systemd.next()).toMatchObject({ STATUS: "two" });
    hung.resolve(undefined);
  });
});

describe("nothing is sent", () => {
  it("where no systemd listens", async () => {
    await using told = notifier({ WATCHDOG_USEC: "1000" });
    told.watch(() => Promise.reject(new Error("not looked at")));
    await told.ready("alone");
    expect([failures, looks]).toEqual([[], []]);
  });

  it("for a watchdog that is another process's", async () => {
    await using told = notifier({
      NOTIFY_SOCKET: "/nowhere",
      WATCHDOG_USEC: "2000",
      WATCHDOG_PID: String(process.ppid),
    });
    const isLookedAt = await new Promise<boolean>((resolve) => {
      told.watch(async () => resolve(true));
      setTimeout(() => resolve(false), 50);
    });
    expect(isLookedAt).toBe(false);
  });
});

it("a systemd that cannot be told is reported, and the service goes on", async () => {
  await using told = notifier({ NOTIFY_SOCKET: join(dir, "nobody"), PATH: dir });
  await told.ready("unheard");
  expect(failures).toHaveLength(1);
});
