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
}

interface JournalSourceSettings extends SourceSettingsBase {
  readonly kind: "journald";
  readonly directory: string | undefined;
  readonly match: readonly string[];
  readonly units: readonly string[];
  /** Undefined: the default ones. */
  readonly fields: readonly string[] | undefined;
  readonly start: StartPolicy;
}

export type SourceSettings = FileSourceSettings | JournalSourceSettings;

export interface AgentSettings {
  readonly collectors: readonly string[];
  readonly token: () => Promise<string>;
  readonly stateDir: string;
  readonly host: string;
  readonly version: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly sources: readonly SourceSettings[];
}
