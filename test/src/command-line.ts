import { parseArgs, type ParseArgsConfig } from "node:util";

/** What a command line says; undefined where it is wrong, which stderr is told. */
export function readCommandLine<T extends NonNullable<ParseArgsConfig["options"]>>(
  options: T,
): ReturnType<typeof parseArgs<{ options: T; allowPositionals: true }>> | undefined {
  try {
    return parseArgs({ options, allowPositionals: true });
  } catch (error) {
    // What `parseArgs` throws, with options that are right, is about the command line.
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return undefined;
  }
}
