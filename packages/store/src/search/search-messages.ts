import type { QueryError } from "@sluice/query";

import type { GroupShare } from "./group-search.ts";
import type { SearchErrorCode } from "./search-error.ts";
import type { SearchProgress, SearchRequest, SearchSummary } from "./search-request.ts";

/** Chunks that may be on their way to the consumer before the thread waits. */
export const CHUNKS_IN_FLIGHT = 4;

export type SearchCommand =
  | {
      readonly kind: "start";
      readonly id: number;
      readonly request: SearchRequest;
      /** One Int32: not 0 means that the search is to end. */
      readonly cancelled: SharedArrayBuffer;
    }
  /** Take a share of another thread's search, which sees the same moment. */
  | {
      readonly kind: "share";
      readonly id: number;
      readonly request: SearchRequest;
      readonly moment: SharedMoment;
      readonly counter: SharedArrayBuffer;
      readonly cancelled: SharedArrayBuffer;
    }
  /** What another thread has made of its share; undefined where none was free to help. */
  | { readonly kind: "helped"; readonly id: number; readonly share: GroupShare | undefined }
  /** The consumer took a chunk. */
  | { readonly kind: "more"; readonly id: number };

/** A moment as it goes from thread to thread. */
interface SharedMoment {
  readonly version: number;
  readonly highWater: number;
  readonly visibility: string | undefined;
}

export type SearchReply =
  /** There is much to read: let another thread take a share of it. Answered by `helped`. */
  | {
      readonly kind: "help";
      readonly id: number;
      readonly moment: SharedMoment;
      readonly counter: SharedArrayBuffer;
    }
  | { readonly kind: "shared"; readonly id: number; readonly share: GroupShare }
  | {
      readonly kind: "chunk";
      readonly id: number;
      readonly bytes: Uint8Array;
      readonly progress: SearchProgress;
    }
  | { readonly kind: "progress"; readonly id: number; readonly progress: SearchProgress }
  | { readonly kind: "end"; readonly id: number; readonly summary: SearchSummary }
  | {
      readonly kind: "error";
      readonly id: number;
      readonly code: SearchErrorCode;
      readonly message: string;
      readonly query: QueryError | undefined;
    };
