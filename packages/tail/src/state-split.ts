import { coversPath } from "./match.ts";
import { decodeState, encodeState } from "./source-state.ts";
import type { SourceRecord, SourceState } from "./source-state.ts";
import type { FileSourceOptions } from "./file-source-options.ts";

export interface FileStateSplit {
  /** For `FileSourceOptions.inherited`. */
  readonly covered: unknown;
  /** The state without it; undefined where nothing is left. */
  readonly rest: unknown;
}

/**
 * Takes out of a file source's snapshot what it knew of paths that other globs match, for the
 * source of those globs: a file that changes its source must be neither read again nor left out.
 *
 * @returns undefined where there is nothing of them, and for what is no snapshot of a file source
 */
export function splitFileState(
  state: unknown,
  { include, exclude = [] }: Pick<FileSourceOptions, "include" | "exclude">,
): FileStateSplit | undefined {
  const decoded = decodeState(state);
  if (!decoded.ok) return undefined;
  const isCovered = (path: string): boolean => coversPath(include, exclude, path);
  const records = [...decoded.value.sources.values()];
  const covered = records.filter(({ path }) => isCovered(path));
  if (covered.length === 0) return undefined;
  const rest = records.filter(({ path }) => !isCovered(path));
  const encode = (of: readonly SourceRecord[]): unknown =>
    encodeState({ ...decoded.value, sources: new Map(of.map((each) => [each.path, each])) });
  return { covered: encode(covered), rest: rest.length === 0 ? undefined : encode(rest) };
}

/** Records of several states; where two know a path, the one that has seen more generations of it. */
export function mergeRecords(states: readonly SourceState[]): Map<string, SourceRecord> {
  const merged = new Map<string, SourceRecord>();
  for (const record of states.flatMap(({ sources }) => [...sources.values()])) {
    const other = merged.get(record.path);
    if (other === undefined || other.next < record.next) {
      merged.set(record.path, record);
    }
  }
  return merged;
}
