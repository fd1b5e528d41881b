export { StoreError } from "./errors.ts";
export type { StoreErrorCode } from "./errors.ts";
export type { AgentIntroduction, AppendOutcome, OpenedStream, StreamOpening } from "./head/head.ts";
export { Store } from "./store.ts";
export { StoreLock } from "./store-lock.ts";
export type { RetentionOrder, RetentionResult } from "./store.ts";
export type { StoreEvents, StoreNotice } from "./store-events.ts";
export type { DeleteOrder, IssuedDelete } from "./head/delete-issuer.ts";
export type { RetentionCutoffs } from "./manifest/visibility.ts";
export type { SegmentPart } from "./maintenance/maintenance-messages.ts";
export type { JobRecord } from "./manifest/swap.ts";
export type {
  ClosedReceipts,
  CommitReport,
  DroppedBytes,
  FrameOutcome,
  NumberedOpening,
} from "./head/writer-messages.ts";
export type {
  ArrivalRange,
  Row,
  SearchPlan,
  SearchProgress,
  SearchRequest,
  SearchRun,
  SearchSummary,
  TimeRange,
} from "./search/search-request.ts";
export type {
  AgentInfo,
  GapInfo,
  JobInfo,
  SegmentTotals,
  StoredPart,
  StoreReader,
  StoreStats,
  StreamInfo,
  UnitPlace,
} from "./store-reader.ts";
export { BALLAST_NAME } from "./store-reader.ts";
export type { BackupResult } from "./backup/backup.ts";
export type { BackupDescription } from "./backup/backup-layout.ts";
export { restoreBackup } from "./backup/restore.ts";
export type { RestoreOrder, RestoreResult } from "./backup/restore.ts";
export { runDoctor } from "./doctor/doctor.ts";
export type { DoctorCheck, DoctorReport } from "./doctor/doctor-report.ts";
export { rebuildHead } from "./doctor/rebuild.ts";
export type { RebuildResult } from "./doctor/rebuild.ts";
export { SEGMENT_BASE_BYTES } from "./segment/segment-schema.ts";
export { openStoreReader } from "./head-reader.ts";
export { parseRecordId } from "./search/row-writer.ts";
export { SearchError } from "./search/search-error.ts";
export type { SearchErrorCode } from "./search/search-error.ts";
