import { spawnSync } from "node:child_process";

/**
 * Runs a tool to its end and gives its standard output.
 *
 * @throws Error with all that it printed where it is missing or fails
 */
export function run(command, args, options = {}) {
  const result = spawnSync(command, args, {
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
    ...options,
  });
  if (result.error) throw new Error(`cannot run ${command}`, { cause: result.error });
  if (result.status !== 0) {
    const how = result.signal ?? `exit code ${result.status}`;
    throw new Error(
      `${command} ${args.join(" ")}: ${how}\n${result.stdout ?? ""}${result.stderr ?? ""}`,
    );
  }
  return result.stdout;
}
