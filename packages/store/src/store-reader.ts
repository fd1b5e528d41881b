import type { SearchRequest, SearchRun } from "./search/search-request.ts";

/** A file of data_dir that holds room for bad times and no data: what counts bytes leaves it out. */
export const BALLAST_NAME = "ballast";

export interface StreamInfo {
  readonly streamId: number;
  readonly agentId: string;
  /** The agent's row in the store. */
  readonly agent: number;
  readonly host: string;
  readonly source: string;
  readonly generation: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly isFinished: boolean;
  /** Stored so far, pruned ones included. */
  readonly records: number;
  readonly bytes: number;
  /** What its agent's rules dropped, and the bytes of the source that were. */
  readonly filteredRecords: number;
  readonly filteredBytes: number;
  readonly gaps: number;
  readonly lastTimeUs: number | undefined;
  readonly lastReceivedUs: number | undefined;
}

export interface AgentInfo {
  readonly agent: number;
  readonly agentId: string;
  readonly host: string;
  readonly version: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly firstSeenUs: number;
  readonly lastSeenUs: number;
}

export interface GapInfo {
  readonly host: string;
  readonly source: string;
  readonly generation: number;
  readonly seq: number;
  readonly cause: string;
  readonly range:
    | { readonly fromByte?: number; readonly toByte?: number; readonly bytes?: number }
    | "unknown";
  readonly detail: string;
  /** Records that are missing, where that is known; 0 otherwise. */
  readonly records: number;
  readonly receivedUs: number;
  /** By the agent's clock; undefined where no agent said it. */
  readonly noticedUs: number | undefined;
}

export interface JobInfo {
  readonly id: number;
  readonly kind: string;
  readonly dueUs: number;
  readonly startedUs: number;
  readonly tookMs: number;
  readonly outcome: Readonly<Record<string, number>>;
  readonly detail: string;
}

export interface StoreStats {
  readonly agents: number;
  readonly streams: number;
  /** In the head: not yet in a segment. */
  readonly batches: number;
  readonly segments: number;
  readonly blocks: number;
  readonly records: number;
  /** Of the bodies, with the LF that ended each. */
  readonly bodyBytes: number;
  /** Compressed: payloads of the head, and segment files. */
  readonly payloadBytes: number;
  /** Every file under data_dir but the ballast. */
  readonly diskBytes: number;
  readonly oldestReceivedUs: number | undefined;
  readonly newestReceivedUs: number | undefined;
}

export interface SegmentTotals {
  readonly segments: number;
  readonly blocks: number;
  /** Of the files. */
  readonly bytes: number;
}

/** What can go by itself: a batch of the head, or a stream's part of a segment. */
export type UnitPlace =
  | { readonly kind: "batch"; readonly batch: number }
  | { readonly kind: "segment"; readonly segment: number };

/** Records of one stream that go together, as retention looks at them. */
export interface StoredPart {
  readonly place: UnitPlace;
  readonly streamId: number;
  readonly severities: number;
  readonly firstReceivedUs: number;
  readonly lastReceivedUs: number;
  /** Compressed, as on disk. */
  readonly bytes: number;
  readonly records: number;
}

/** The reading side of a data folder, of the collector's own or of another process. */
export interface StoreReader extends AsyncDisposable {
  readonly storeId: string;
  /** Highest batch id that is committed, as of now. */
  readonly highWater: number;
  /** Size of head.db when the log beside it is folded in: what a checkpoint makes of it. */
  readonly headBytes: number;
  /**
   * On the disk and no longer stored: free pages of the head, and what was removed but is still read
   * by somebody. Whoever makes room counts it as room, or drops other records in its place.
   */
  readonly returnableBytes: number;
  search(request: SearchRequest, signal: AbortSignal): SearchRun;
  agents(): readonly AgentInfo[];
  streams(): readonly StreamInfo[];
  gaps(): readonly GapInfo[];
  /** Those with an id above `afterId`, in the order of their ids; all where it is left out. */
  jobs(afterId?: number): readonly JobInfo[];
  stats(): StoreStats;
  /** The part of `stats` that costs nothing. */
  segmentTotals(): SegmentTotals;
  /** All that is stored, in parts. */
  parts(): readonly StoredPart[];
}
