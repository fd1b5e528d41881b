import { expect, test } from "vitest";
import { standardPaths } from "../src/standard-paths.ts";
import type { StandardPathsOptions } from "../src/standard-paths.ts";

const HOME = { HOME: "/home/ann" };

test.each([
  [{ product: "collector", uid: 0, env: {} }, "/etc/sluice/collector.yaml", "/var/lib/sluice"],
  [{ product: "agent", uid: 0, env: HOME }, "/etc/sluice/agent.yaml", "/var/lib/sluice-agent"],
  [
    { product: "collector", uid: 1000, env: HOME },
    "/home/ann/.config/sluice/collector.yaml",
    "/home/ann/.local/state/sluice",
  ],
  [
    { product: "agent", uid: undefined, env: HOME },
    "/home/ann/.config/sluice/agent.yaml",
    "/home/ann/.local/state/sluice-agent",
  ],
  [
    {
      product: "agent",
      uid: 1000,
      env: { ...HOME, XDG_CONFIG_HOME: "/c/", XDG_STATE_HOME: "/s" },
    },
    "/c/sluice/agent.yaml",
    "/s/sluice-agent",
  ],
  [
    {
      product: "collector",
      uid: 1000,
      env: { ...HOME, XDG_CONFIG_HOME: "c", XDG_STATE_HOME: "" },
    },
    "/home/ann/.config/sluice/collector.yaml",
    "/home/ann/.local/state/sluice",
  ],
  [
    {
      product: "collector",
      uid: 0,
      env: {
        STATE_DIRECTORY: "/var/lib/logs:/var/lib/other",
        CONFIGURATION_DIRECTORY: "/etc/logs",
      },
    },
    "/etc/logs/collector.yaml",
    "/var/lib/logs",
  ],
  [
    {
      product: "collector",
      uid: 1000,
      env: { XDG_STATE_HOME: "/s", STATE_DIRECTORY: "/run/x", XDG_CONFIG_HOME: "/c" },
    },
    "/c/sluice/collector.yaml",
    "/run/x",
  ],
] satisfies [StandardPathsOptions, string, string][])("%j", (options, configFile, stateDir) => {
  expect(standardPaths(options)).toEqual({ ok: true, value: { configFile, stateDir } });
});

test("without any home the error says which option helps", () => {
  expect(standardPaths({ product: "agent", uid: 1000, env: {} })).toEqual({
    ok: false,
    error: "HOME is not set: say where the configuration is with --config",
  });
  expect(standardPaths({ product: "agent", uid: 1000, env: { XDG_CONFIG_HOME: "/c" } })).toEqual({
    ok: false,
    error: "HOME is not set: say where to keep the data with STATE_DIRECTORY",
  });
});
