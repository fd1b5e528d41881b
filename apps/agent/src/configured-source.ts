import type { Result } from "@sluice/quantity";
import {
  type Beat,
  FileSource,
  JournalSource,
  type OnTailEvent,
  type OwnFiles,
  type Source,
  type StateInvalid,
} from "@sluice/tail";

import type { SourceSettings } from "./agent-settings.ts";
import { journalName } from "./journal-source-config.ts";

/** A source and what the configuration says of it. */
export interface ConfiguredSource {
  readonly id: string;
  readonly source: Source;
  /** Replaced by a reload that leaves the source itself as it is. */
  settings: SourceSettings;
}

export interface SourceMemory {
  /** What the source's `snapshot` was; undefined where it is new. */
  readonly state: unknown;
  /** What sources that are not configured any more knew of the same files. */
  readonly inherited: readonly unknown[];
  /** What the agent writes itself, which is never read. */
  readonly own: OwnFiles;
  /** When busy files of all sources are looked at. */
  readonly beat: Beat;
  readonly onEvent: OnTailEvent;
}

export function createSource(
  settings: SourceSettings,
  { inherited, own, beat, ...memory }: SourceMemory,
): Result<Source, StateInvalid> {
  switch (settings.kind) {
    case "file": {
      const { include, exclude, start, roots } = settings;
      const files = { include, exclude, start, roots };
      return FileSource.create({ ...files, own, beat, inherited, ...memory });
    }
    case "journald": {
      const { directory, match, units, fields, start } = settings;
      return JournalSource.create({
        directory,
        match,
        units,
        start,
        ...memory,
        ...(fields !== undefined && { fields }),
      });
    }
    default:
      return settings satisfies never;
  }
}

/** A source keeps its state across restarts while what it reads is the same. */
export function sourceId(source: SourceSettings): string {
  switch (source.kind) {
    case "file":
      return `file:${JSON.stringify([source.include, source.exclude])}`;
    case "journald":
      return journalName(source); // Other matches read on from where the last ones stood.
    default:
      return source satisfies never;
  }
}

/** Two settings with the same reading differ in what is made of the records only, or in where a first start begins. */
export function readingOf(settings: SourceSettings): string {
  const reading = { ...settings, labels: undefined, processing: undefined, start: undefined };
  return JSON.stringify(reading);
}
