import type { Command, OptionValues } from "@commander-js/extra-typings";
import { formatJson, wantsColor } from "@sluice/service";

import { type AdminSource, openAdminSource, type SourceOptions } from "../client/admin-source.ts";
import { isClosedPipe, Sink } from "../output/sink.ts";

/** What commander needs of each: flags, and what `--help` says of them. */
export const SOURCE_FLAGS = {
  data: ["--data <dir>", "look into a data folder instead of asking a collector"],
  collector: [
    "--collector <url>",
    "the collector to ask (default: the saved context, or this machine's)",
  ],
  tokenFile: ["--token-file <file>", "file that holds the collector's query token"],
  ca: ["--ca <file>", "authority that the collector's certificate must be signed by"],
  json: ["--json", "print JSON", false],
} as const;

/** A type: commander wants an index signature, which an interface has not. */
type SourceFlagValues = {
  readonly data?: string;
  readonly collector?: string;
  readonly tokenFile?: string;
  readonly ca?: string;
  readonly json: boolean;
};

/** Adds what every command needs that asks a collector, or looks into a data folder. Last in its help. */
export function withSourceOptions<
  Arguments extends unknown[],
  Options extends OptionValues,
  Globals extends OptionValues,
>(
  command: Command<Arguments, Options, Globals>,
): Command<Arguments, Options & SourceFlagValues, Globals> {
  const extended: unknown = command
    .option(...SOURCE_FLAGS.data)
    .option(...SOURCE_FLAGS.collector)
    .option(...SOURCE_FLAGS.tokenFile)
    .option(...SOURCE_FLAGS.ca)
    .option(...SOURCE_FLAGS.json);
  // What the library infers of so many options is longer than the compiler writes down.
  return extended as Command<Arguments, Options & SourceFlagValues, Globals>;
}

/** Opens what the flags name, and closes it when the work is done, whatever its end. */
export async function withAdminSource<T>(
  options: SourceOptions,
  work: (source: AdminSource) => Promise<T>,
): Promise<T> {
  await using source = await openAdminSource(options, process.env);
  return await work(source);
}

/** Writes to stdout. A reader that has gone away (`| head`) has seen enough. */
export async function print(text: string): Promise<void> {
  const sink = new Sink(process.stdout);
  sink.write(text);
  try {
    await sink.drained();
  } catch (error) {
    if (!isClosedPipe(error)) {
      throw error;
    }
  }
}

export function printJson(value: unknown): Promise<void> {
  return print(formatJson(value, process.stdout.isTTY));
}

/** Whether stdout shows colours. */
export function hasColor(): boolean {
  return wantsColor({ flag: undefined, env: process.env, isTerminal: process.stdout.isTTY });
}
