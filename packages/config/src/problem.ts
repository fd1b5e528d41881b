import { formatKeyPath } from "./key-path.ts";
import type { KeyPath } from "./key-path.ts";
import { formatOrigin } from "./origin.ts";
import type { Origin } from "./origin.ts";

/** Something wrong with a configuration. */
export interface ConfigProblem {
  /** Where the fault was made; `default` for what is missing where there is no file. */
  readonly origin: Origin;
  /** Empty for faults of the text as a whole. */
  readonly path: KeyPath;
  readonly message: string;
  /** What to do about it. */
  readonly hint?: string;
}

/** Prints a problem on one line: `collector.yaml:7:12: retention.keep: expected a duration such as 7d or 1h30m`. */
export function formatProblem(problem: ConfigProblem): string {
  const parts: string[] = [];
  const { origin } = problem;
  if (origin.kind === "file") {
    parts.push(`${origin.file}:${origin.line}:${origin.column}`);
  } else if (origin.kind !== "default") {
    parts.push(formatOrigin(origin));
  }
  if (problem.path.length > 0) {
    parts.push(formatKeyPath(problem.path));
  }
  parts.push(problem.hint === undefined ? problem.message : `${problem.message} (${problem.hint})`);
  return parts.join(": ");
}
