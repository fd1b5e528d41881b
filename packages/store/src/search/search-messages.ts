import type { QueryError } from "@sluice/query";

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
  /** The consumer took a chunk. */
  | { readonly kind: "more"; readonly id: number };

export type SearchReply =
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
