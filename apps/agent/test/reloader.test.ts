import { Failure } from "@sluice/service";
import { beforeEach, describe, expect, it } from "vitest";

import type { AgentSettings } from "../src/agent-settings.ts";
import { Reloader } from "../src/reloader.ts";
import type { LoadedSettings } from "../src/settings.ts";

const SETTINGS: AgentSettings = {
  collectors: ["ws://c"],
  token: () => Promise.resolve("t"),
  stateDir: "/state",
  host: "h",
  version: "1",
  labels: {},
  metrics: undefined,
  failbackMs: undefined,
  tokenFile: undefined,
  tls: () => Promise.resolve({}),
  tlsFiles: { caFile: undefined, certFile: undefined, keyFile: undefined },
  sources: [
    {
      kind: "file",
      include: ["/a"],
      exclude: [],
      start: "end",
      labels: {},
      processing: undefined,
      roots: [],
      encoding: undefined,
    },
  ],
};

let taken: AgentSettings[];
let said: { level: string; text: string }[];
let loads: number;

beforeEach(() => {
  taken = [];
  said = [];
  loads = 0;
});

function reloader(
  load: () => AgentSettings,
  reconfigure: (settings: AgentSettings) => Promise<void> = () => Promise.resolve(),
): Reloader {
  const say =
    (level: string) =>
    (_: unknown, text?: unknown): void => {
      said.push({ level, text: String(text) });
    };
  return new Reloader({
    agent: {
      reconfigure: (settings) => {
        taken.push(settings);
        return reconfigure(settings);
      },
    },
    metrics: { listen: () => Promise.resolve() },
    notifier: {
      reloading: () => Promise.resolve(),
      ready: () => Promise.resolve(),
    },
    load: async () => {
      loads += 1;
      return { settings: load() } as LoadedSettings;
    },
    log: { error: say("error"), warn: say("warn") } as never,
    settings: SETTINGS,
  });
}

describe("a reload", () => {
  it("takes up what the configuration says now", async () => {
    const other = { ...SETTINGS, host: "other" };
    const reloads = reloader(() => other);
    reloads.request();
    await reloads[Symbol.asyncDispose]();
    expect(taken).toEqual([]); // it was asked to stop before it began
    const again = reloader(() => other);
    again.request();
    await Promise.resolve();
    await again[Symbol.asyncDispose]();
    expect(taken).toEqual([other]);
  });

  it("changes nothing where the configuration is wrong, and says each problem", async () => {
    const reloads = reloader(() => {
      throw new Failure("a.yaml:1:1: one\na.yaml:2:1: two", "mend it", 78);
    });
    reloads.request();
    await Promise.resolve();
    await reloads[Symbol.asyncDispose]();
    expect(taken).toEqual([]);
    expect(said).toEqual([
      { level: "error", text: "the configuration stays as it was: a.yaml:1:1: one" },
      { level: "error", text: "the configuration stays as it was: a.yaml:2:1: two" },
    ]);
  });

  it.each([
    ["without sources", { ...SETTINGS, sources: [] }, "no sources are configured"],
    [
      "whose token cannot be read",
      { ...SETTINGS, token: () => Promise.reject(new Failure("no token", "", 78)) },
      "no token",
    ],
  ])("refuses a configuration %s", async (_, settings, problem) => {
    const reloads = reloader(() => settings);
    reloads.request();
    await Promise.resolve();
    await reloads[Symbol.asyncDispose]();
    expect(taken).toEqual([]);
    expect(said.map(({ text }) => text)).toEqual([`the configuration stays as it was: ${problem}`]);
  });

  it("shares one that has not begun among those who ask meanwhile", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const reloads = reloader(
      () => SETTINGS,
      () => promise,
    );
    reloads.request();
    await expect.poll(() => taken.length).toBe(1);
    for (let i = 0; i < 5; i++) reloads.request();
    resolve();
    await expect.poll(() => taken.length).toBe(2);
    await reloads[Symbol.asyncDispose]();
    expect(loads).toBe(2);
  });

  it("says that state_dir stays, and goes on after one that failed halfway", async () => {
    let fails = true;
    const reloads = reloader(
      () => ({ ...SETTINGS, stateDir: "/other" }),
      () => (fails ? Promise.reject(new Error("halfway")) : Promise.resolve()),
    );
    reloads.request();
    await expect.poll(() => said.length).toBe(2);
    expect(said.map(({ level }) => level)).toEqual(["warn", "error"]);
    fails = false;
    reloads.request();
    await expect.poll(() => taken.length).toBe(2);
    await reloads[Symbol.asyncDispose]();
  });
});
