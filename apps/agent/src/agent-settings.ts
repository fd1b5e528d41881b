import type { StartPolicy } from "@sluice/tail";

export interface FileSourceSettings {
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  readonly start: StartPolicy;
}

export interface AgentSettings {
  readonly collectors: readonly string[];
  readonly token: () => Promise<string>;
  readonly stateDir: string;
  readonly host: string;
  readonly version: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly sources: readonly FileSourceSettings[];
}
