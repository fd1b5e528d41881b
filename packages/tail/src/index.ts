export type { OwnFiles } from "./access.ts";
export type {
  CursorLostEvent,
  FailedScanEvent,
  GapEvent,
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
export { fileOffset } from "./cursor.ts";
export { FileSource } from "./file-source.ts";
export { DEFAULT_TIMING } from "./file-source-options.ts";
export type {
  FileSourceOptions,
  StartPolicy,
  TailClock,
  TailTiming,
} from "./file-source-options.ts";
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
