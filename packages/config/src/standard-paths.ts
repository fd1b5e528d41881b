import { err, ok } from "@sluice/quantity";
import type { Result } from "@sluice/quantity";

export type Product = "agent" | "collector";

export interface StandardPathsOptions {
  readonly product: Product;
  /** The effective user id; undefined where the system has none. */
  readonly uid: number | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export interface StandardPaths {
  readonly configFile: string;
  /** The collector's data folder, the agent's state folder. */
  readonly stateDir: string;
}

const STATE_NAME = { agent: "sluice-agent", collector: "sluice" } as const satisfies Record<
  Product,
  string
>;

/**
 * Where a product looks for its configuration and keeps its state when nobody says otherwise.
 *
 * - root: `/etc/sluice/{agent,collector}.yaml`, `/var/lib/{sluice-agent,sluice}`;
 * - others: the XDG base directories, by default `~/.config/sluice/` and `~/.local/state/`;
 * - CONFIGURATION_DIRECTORY and STATE_DIRECTORY (systemd.exec(5)) win over both; of several, the first counts.
 *
 * Relative paths in these variables are ignored, as the XDG specification asks. The error says which variable is needed.
 */
export function standardPaths(options: StandardPathsOptions): Result<StandardPaths> {
  const { product, uid, env } = options;
  const configDir = firstAbsolute(env["CONFIGURATION_DIRECTORY"]) ?? configHome(uid, env);
  if (configDir === undefined) {
    return err("HOME is not set: say where the configuration is with --config");
  }
  const stateDir =
    firstAbsolute(env["STATE_DIRECTORY"]) ?? stateHome(uid, env, STATE_NAME[product]);
  if (stateDir === undefined) {
    return err("HOME is not set: say where to keep the data with STATE_DIRECTORY");
  }
  return ok({ configFile: `${configDir}/${product}.yaml`, stateDir });
}

function configHome(uid: number | undefined, env: StandardPathsOptions["env"]): string | undefined {
  if (uid === 0) {
    return "/etc/sluice";
  }
  const base = absolute(env["XDG_CONFIG_HOME"]) ?? inHome(env, ".config");
  return base && `${base}/sluice`;
}

function stateHome(
  uid: number | undefined,
  env: StandardPathsOptions["env"],
  name: string,
): string | undefined {
  if (uid === 0) {
    return `/var/lib/${name}`;
  }
  const base = absolute(env["XDG_STATE_HOME"]) ?? inHome(env, ".local/state");
  return base && `${base}/${name}`;
}

function inHome(env: StandardPathsOptions["env"], folder: string): string | undefined {
  const home = absolute(env["HOME"]);
  return home === undefined ? undefined : `${home}/${folder}`;
}

/** systemd separates several folders by colons. */
function firstAbsolute(folders: string | undefined): string | undefined {
  return absolute(folders?.split(":")[0]);
}

function absolute(folder: string | undefined): string | undefined {
  return folder?.startsWith("/") === true ? folder.replace(/(?<=.)\/+$/, "") : undefined;
}
