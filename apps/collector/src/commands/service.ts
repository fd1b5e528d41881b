import type { Command } from "@commander-js/extra-typings";
import { requireReachable, ServiceFiles, unitProgram } from "@sluice/service";

import { collectorUnit, SERVICE_NAME } from "../service/collector-unit.ts";

const PROGRAM = ["--program <path>", "the executable to start (default: this one)"] as const;
const ROOT = ["--root <dir>", "install into this folder, such as an image's", "/"] as const;

/** `sluice service install|uninstall|print` */
export function addService(root: Command): void {
  const service = root.command("service").description("run as a service of systemd").exitOverride();
  service
    .command("install")
    .description("write the unit, make its user, enable and start it; again, to take up changes")
    .option(...PROGRAM)
    .option(...ROOT)
    .action(async ({ program, root: folder }) => {
      const command = unitProgram(program);
      if (folder === "/") {
        requireReachable(command);
      }
      await serviceFiles(folder).install(collectorUnit(command));
    });
  service
    .command("uninstall")
    .description("stop and disable it, and remove the unit; what is stored stays")
    .option(...ROOT)
    .action(({ root: folder }) => serviceFiles(folder).uninstall());
  service
    .command("print")
    .description("print the unit, and change nothing")
    .option(...PROGRAM)
    .action(({ program }) => {
      process.stdout.write(collectorUnit(unitProgram(program)));
    });
}

function serviceFiles(root: string): ServiceFiles {
  return new ServiceFiles({ name: SERVICE_NAME, root }, (line) =>
    process.stderr.write(`${line}\n`),
  );
}
