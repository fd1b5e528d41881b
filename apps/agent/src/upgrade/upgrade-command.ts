import { access, constants, readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { EXIT, Failure, ownProgram, ServiceFiles } from "@sluice/service";

import type { AgentSettings } from "../agent-settings.ts";
import { SERVICE_NAME } from "../service/agent-unit.ts";
import { askStatus } from "../status/status-socket.ts";
import { ReleaseSource } from "./release-source.ts";
import { HEALTHY_WITHIN_MS, upgrade } from "./upgrade.ts";

/**
 * `sluice-agent upgrade`: this program becomes what the first collector offers.
 *
 * @param caFile in place of the configured `tls.ca_file`
 */
export async function upgradeFromCollector(
  { collectors, stateDir, tls }: AgentSettings,
  caFile: string | undefined,
): Promise<void> {
  const { file, isExecutable } = ownProgram();
  await requireReplaceable(file);
  const trust = {
    ...(await tls()),
    ...(caFile !== undefined && { ca: await readAuthority(caFile) }),
  };
  const service = new ServiceFiles({ name: SERVICE_NAME, root: "/" }, say);
  await upgrade({
    source: new ReleaseSource(collectors[0] ?? "", trust),
    product: isExecutable ? `sluice-agent-${process.platform}-${process.arch}` : "sluice-agent.cjs",
    file,
    service,
    status: () => askStatus(stateDir),
    healthyWithinMs: HEALTHY_WITHIN_MS,
    say,
  });
}

/** A package's file is replaced by its package, a checkout's by its build. */
async function requireReplaceable(file: string): Promise<void> {
  if (file.startsWith("/usr/bin/")) {
    throw new Failure(
      `${file} came with a package`,
      "install the package's new version, as it was installed: dpkg -i, or apt",
    );
  }
  if (file.includes("/apps/agent/dist/") || file.includes("/node_modules/")) {
    throw new Failure(`${file} is part of a checkout`, "pull and build that: pnpm build");
  }
  await access(dirname(file), constants.W_OK).catch((cause: unknown) => {
    throw new Failure(`${file} cannot be replaced by this user`, "try again with sudo", undefined, {
      cause,
    });
  });
}

async function readAuthority(path: string): Promise<string> {
  return readFile(path, "utf8").catch((cause: unknown) => {
    throw new Failure(
      `--ca-file ${path}: ${(cause as Error).message}`,
      "name the collector's authority: its /ca.pem",
      EXIT.config,
      { cause },
    );
  });
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}
