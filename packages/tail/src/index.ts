export type { OwnFiles } from "./access.ts";
export type {
  CursorLostEvent,
  FailedScanEvent,
  GapEvent,
  JournalFailedEvent,
  JournalGapEvent,
  JournalRecoveredEvent,
  JournalRestrictedEvent,
  LateWriteEvent,
  LossReason,
  OnTailEvent,
  ReadableEvent,
  RecoveredEvent,
  RefusedEvent,
  RefusedReason,
  RotatedEvent,
  TailEvent,
  TruncatedEvent,
  TruncatedReason,
  UnreadableEvent,
} from "./event.ts";
export { Beat } from "./beat.ts";
export { fileOffset } from "./cursor.ts";
export { FileSource } from "./file-source.ts";
export { DEFAULT_TIMING } from "./file-source-options.ts";
export type {
  FileSourceOptions,
  StartPolicy,
  TailClock,
  TailTiming,
} from "./file-source-options.ts";
export { JournalSource } from "./journal/journal-source.ts";
export type { JournalSourceOptions, JournalTiming } from "./journal/journal-source-options.ts";
export { coversPath, isMisnamed, matchFiles } from "./match.ts";
export type { Match } from "./match.ts";
export { splitFileState } from "./state-split.ts";
export type { FileStateSplit } from "./state-split.ts";
export type {
  CursorInvalid,
  CursorLost,
  EndReason,
  EntryOutcome,
  EntryReader,
  LogEntry,
  ReadOutcome,
  Source,
  StateInvalid,
  StreamChange,
  StreamKey,
  StreamReader,
  TailStream,
} from "./source.ts";
