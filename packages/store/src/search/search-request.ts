/** Event times in microseconds: `fromUs` inclusive, `untilUs` exclusive. */
export interface TimeRange {
  readonly fromUs?: number | undefined;
  readonly untilUs?: number | undefined;
}

/** Batches by their place in the order of arrival: after the first, up to and including the second. */
export interface ArrivalRange {
  readonly after: number;
  readonly upTo: number;
}

/** What to look for, and in which order it comes back. */
export interface SearchRequest extends TimeRange {
  /** In the query language, pipe stages included; a query with stages has no `afterId`. */
  readonly query: string;
  /** `time` is (event time, stream, seq), a total order; `stream` is (agent, source, generation, seq). */
  readonly order: "time" | "stream";
  /** Newest (or last) first; with `limit` that finds the newest without reading the rest. */
  readonly reverse: boolean;
  /** Rows at most; undefined for all. */
  readonly limit?: number | undefined;
  /** Goes on behind this row: the `id` of the last one of a page before, among what is stored now. */
  readonly afterId?: string | undefined;
  /**
   * Goes on where an earlier page with a `limit` ended (`SearchSummary.nextPage`), in what that page
   * saw: the same rows come at any size of pages, whatever is stored or pruned meanwhile.
   */
  readonly page?: string | undefined;
  /** Nobody asks for a page behind this one: no `nextPage` is given, and no file kept for it. */
  readonly isLast?: boolean | undefined;
  /** Only what arrived in this range: how a follower asks for what is new. */
  readonly arrived?: ArrivalRange | undefined;
  /** `rows` are NDJSON (`Row`, or a stage's own objects); `bodies` are each body's bytes and a LF. Default: rows. */
  readonly render?: "rows" | "bodies" | undefined;
  /** How long it may take; a pattern that runs away is ended with its thread. */
  readonly deadlineMs: number;
  /** How much it may read, uncompressed; undefined for any amount. */
  readonly maxReadBytes?: number | undefined;
}

/** One record as every surface shows it: the keys of `-o json` and of the API. */
export interface Row {
  /** Event time, RFC 3339 in UTC with microseconds. */
  readonly time: string;
  /** Receipt time, the same. */
  readonly received: string;
  readonly host: string;
  readonly source: string;
  readonly level: string;
  readonly severity: number;
  /** Names the record for good: `STREAM-SEQ`. */
  readonly id: string;
  readonly seq: number;
  /** Where the body is UTF-8. */
  readonly body?: string;
  /** Where it is not. */
  readonly bodyBase64?: string;
  readonly attributes?: Readonly<Record<string, string>>;
}

export interface SearchProgress {
  readonly blocksRead: number;
  readonly blocksTotal: number;
  /** Uncompressed bytes read. */
  readonly bytesRead: number;
}

/** How a search ended. */
export interface SearchSummary extends SearchProgress {
  readonly rows: number;
  readonly elapsedMs: number;
  /** Highest batch id that the search could see: where a follower goes on. */
  readonly highWater: number;
  /** Version of the manifest that it saw. */
  readonly version: number;
  /** Blocks that could not be decoded: their records are missing from the answer. */
  readonly damaged: number;
  /** For the `page` of the next request, where a limit has cut the answer. It expires after some minutes. */
  readonly nextPage?: string | undefined;
  readonly plan: SearchPlan;
}

/** What each step of planning left (`--explain`). */
export interface SearchPlan {
  readonly streamsTotal: number;
  readonly streamsLeft: number;
  readonly segmentsTotal: number;
  /** Segments in the time range. */
  readonly segmentsLeft: number;
  /** Blocks, and batches that no block holds yet. Each step leaves some of those of the step before. */
  readonly blocksTotal: number;
  /** Of the wanted streams, in the time range. */
  readonly blocksInTimeRange: number;
  /** With a severity that can match. */
  readonly blocksOfSeverity: number;
  /** That may hold the words, by the token filters. */
  readonly blocksWithWords: number;
  /** Counted from what is known of them, without reading them. */
  readonly blocksCounted: number;
  /** Read. */
  readonly blocksLeft: number;
  readonly phasesMs: Readonly<Record<"plan" | "read" | "scan" | "render", number>>;
}

/** A search that is under way: chunks of whole rows as the request renders them, and a summary at its end. */
export interface SearchRun extends AsyncIterable<Uint8Array> {
  /** Rejects with the same error that ends the iteration. Never rejects unhandled. */
  readonly summary: Promise<SearchSummary>;
  /** As of now. */
  readonly progress: SearchProgress;
}
