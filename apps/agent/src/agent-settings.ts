import type { ListenAddress } from "@sluice/service";
import type { StartPolicy } from "@sluice/tail";

import type { TlsFiles, TlsIdentity } from "./tls-identity.ts";
import type { ProcessingSettings } from "./processing/processing-settings.ts";

export type { ProcessingSettings } from "./processing/processing-settings.ts";

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
  /** Where metrics are served; undefined for nowhere. */
  readonly metrics: ListenAddress | undefined;
  /** While connected to another than the first collector: how often that is tried again. */
  readonly failbackMs: number | undefined;
  readonly collectors: readonly string[];
  readonly token: () => Promise<string>;
  /** The file that holds the key, where it is one. */
  readonly tokenFile: string | undefined;
  /** Read anew for each connection, so that renewed certificates are taken up. */
  readonly tls: () => Promise<TlsIdentity>;
  readonly tlsFiles: TlsFiles;
  readonly stateDir: string;
  readonly host: string;
  readonly version: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly sources: readonly SourceSettings[];
}
