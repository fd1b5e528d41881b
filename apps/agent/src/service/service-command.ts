import { existsSync } from "node:fs";
import type { Command } from "@commander-js/extra-typings";
import { requireReachable, ServiceFiles, unitProgram } from "@sluice/service";

import { agentUnit, SERVICE_NAME } from "./agent-unit.ts";

/** One thread that compiles and collects beside the main one is enough, and what starting leaves is collected (decision 6). */
const NODE_OPTIONS = ["--v8-pool-size=1", "--initial-old-space-size=8"];

const PROGRAM = ["--program <path>", "the executable to start (default: this one)"] as const;
const READ_ALL = [
  "--read-all",
  "let it read every file of the host (CAP_DAC_READ_SEARCH)",
  false,
] as const;
const ROOT = ["--root <dir>", "install into this folder, such as an image's", "/"] as const;

/** `sluice-agent service install|uninstall|print` */
export function addServiceCommand(root: Command): void {
  const service = root.command("service").description("run as a service of systemd").exitOverride();
  service
    .command("install")
    .description("write the unit, make its user, enable and start it; again, to take up changes")
    .option(...PROGRAM)
    .option(...READ_ALL)
    .option(...ROOT)
    .action(async ({ program, readAll, root: folder }) => {
      const command = unitProgram(program, NODE_OPTIONS);
      if (folder === "/") {
        requireReachable(command);
      }
      await serviceFiles(folder).install(agentUnit({ command, readsAll: readAll }));
      if (folder === "/" && !existsSync("/etc/sluice/agent.yaml")) {
        say(
          "next       write /etc/sluice/agent.yaml; until then the service ends with what is missing",
        );
      }
    });
  service
    .command("uninstall")
    .description("stop and disable it, and remove the unit; what it wrote stays")
    .option(...ROOT)
    .action(({ root: folder }) => serviceFiles(folder).uninstall());
  service
    .command("print")
    .description("print the unit, and change nothing")
    .option(...PROGRAM)
    .option(...READ_ALL)
    .action(({ program, readAll }) => {
      const command = unitProgram(program, NODE_OPTIONS);
      process.stdout.write(agentUnit({ command, readsAll: readAll }));
    });
}

function serviceFiles(root: string): ServiceFiles {
  return new ServiceFiles({ name: SERVICE_NAME, root }, say);
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}
