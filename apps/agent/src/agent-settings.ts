import type { StartPolicy } from "@sluice/tail";

/** What is done to each record of a source before it leaves the host; absent where nothing is. */
export interface ProcessingSettings {
  readonly attributes: Readonly<Record<string, string>>;
}

interface SourceSettingsBase {
  /** Labels of the source's streams, besides the agent's own. */
  readonly labels: Readonly<Record<string, string>>;
  readonly processing: ProcessingSettings | undefined;
}

interface FileSourceSettings extends SourceSettingsBase {
  readonly kind: "file";
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  readonly start: StartPolicy;
  /** Folders that links may lead into, besides those that the globs are rooted in. */
  readonly roots: readonly string[];
  /** A label that `TextDecoder` knows; undefined ships the bytes as they are. */
  readonly encoding: string | undefined;
}

export type SourceSettings = FileSourceSettings;

export interface AgentSettings {
  readonly collectors: readonly string[];
  readonly token: () => Promise<string>;
  readonly stateDir: string;
  readonly host: string;
  readonly version: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly sources: readonly SourceSettings[];
}
