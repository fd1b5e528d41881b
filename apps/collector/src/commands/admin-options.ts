import { EXIT } from "@sluice/config";

import { type AdminSource, openAdminSource, type SourceOptions } from "../admin-source.ts";

/** What commander needs of each: flags, and what `--help` says of them. */
export const SOURCE_FLAGS = {
  data: ["--data <dir>", "look into a data folder instead of asking a collector"],
  collector: [
    "--collector <url>",
    "the collector to ask (default: the saved context, or this machine's)",
  ],
  tokenFile: ["--token-file <file>", "file that holds the collector's query token"],
  json: ["--json", "print JSON", false],
} as const;

/** Opens what the flags name, and closes it when the work is done, whatever its end. */
export async function withAdminSource<T>(
  options: SourceOptions,
  work: (source: AdminSource) => Promise<T>,
): Promise<T> {
  await using source = await openAdminSource(options, process.env);
  return await work(source);
}

/** Writes to stdout; a reader that has gone away (`| head`) ends the program quietly. */
export async function print(text: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    process.stdout.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EPIPE") {
        process.exit(EXIT.ok);
      }
      reject(error);
    });
    process.stdout.write(text, () => resolve());
  });
}

export function printJson(value: unknown): Promise<void> {
  return print(`${JSON.stringify(value, undefined, 2)}\n`);
}

/** Whether stdout shows colours; NO_COLOR and its kin are heeded by Node. */
export function isStyled(): boolean {
  return process.stdout.isTTY && process.stdout.hasColors();
}
