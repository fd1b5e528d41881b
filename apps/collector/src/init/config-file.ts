import { existsSync } from "node:fs";
import { mkdir, readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { EXIT, Failure, replaceFile } from "@sluice/service";

import { tokenFolder } from "../access/token-files.ts";
import { addedText, configText, type InitialConfig, tlsText } from "./config-text.ts";

/** `extended`: one that set neither address nor certificate, of a collector that has never run, got both. */
export type ConfigChange = "written" | "extended" | "kept";

/**
 * Writes the first configuration, or adds address and certificate to one that has neither, as a package
 * brings it; one that sets any of them stays as it is.
 *
 * @throws Failure where it cannot be written
 */
export async function setConfig(path: string, initial: InitialConfig): Promise<ConfigChange> {
  if (!existsSync(path)) {
    await writeConfig(path, configText(initial));
    return "written";
  }
  const text = await readFile(path, "utf8");
  // One that runs without is reached by agents over plain text, and has to stay that.
  const hasRun = existsSync(tokenFolder(initial.dataDir));
  if (hasRun || /^(listen|tls|data_dir):/m.test(text)) {
    return "kept";
  }
  await writeConfig(path, `${text.trimEnd()}\n\n${addedText(initial)}`);
  return "extended";
}

async function writeConfig(path: string, text: string): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o755 });
    await replaceFile(path, text, 0o644); // nothing in it is secret, and the service's user reads it
  } catch (error) {
    throw new Failure(
      `cannot write ${path}: ${(error as Error).message}`,
      "run it as root, or name a file of your own with --config",
      EXIT.failed,
      { cause: error },
    );
  }
}

/** Lines to add to a configuration that names no certificate; undefined where it names one. */
export async function missingTls(
  path: string,
  initial: InitialConfig,
): Promise<string | undefined> {
  const text = await readFile(path, "utf8");
  return /^tls:/m.test(text) ? undefined : tlsText(initial);
}
