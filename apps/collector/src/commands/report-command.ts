import type { Command } from "@commander-js/extra-typings";

import type { AdminSource } from "../client/admin-source.ts";
import { hasColor, print, printJson, withAdminSource, withSourceOptions } from "./admin-options.ts";

interface ReportCommand<T> {
  readonly name: string;
  readonly description: string;
  readonly read: (source: AdminSource) => Promise<T>;
  readonly format: (report: T, isColored: boolean) => string;
}

/** A command that asks a collector, or a data folder, for one report and prints it as text or as JSON. */
export function addReport<T>(
  root: Command,
  { name, description, read, format }: ReportCommand<T>,
): void {
  withSourceOptions(root.command(name).description(description)).action((options) =>
    withAdminSource(options, async (source) => {
      const report = await read(source);
      await (options.json ? printJson(report) : print(format(report, hasColor())));
    }),
  );
}
