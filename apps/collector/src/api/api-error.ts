import { EXIT, Failure } from "@sluice/service";
import { SearchError, type SearchErrorCode, StoreError } from "@sluice/store";
import * as z from "zod";

/** An error on the wire: `{"error": ...}` as the last line of a stream, the same object as a JSON body otherwise. */
export const API_ERROR = z.object({
  /** Stable: for programs. */
  code: z.string(),
  message: z.string(),
  /** What to do about it. */
  advice: z.string(),
  /** Where in the query, in UTF-16 units from 1. */
  column: z.number().int().positive().optional(),
  length: z.number().int().positive().optional(),
  hint: z.string().optional(),
});

export type ApiError = z.infer<typeof API_ERROR>;

const ADVICE: Readonly<Record<SearchErrorCode, string>> = {
  "query-invalid": "mend the query where it points",
  "request-invalid": "ask with what goes together: docs/querying.md, The API",
  deadline: "allow it more time with --timeout (in the API: deadline=)",
  cancelled: "ask again",
  "too-much": "narrow the query, or allow it more with --max-read (in the API: maxRead=)",
  "page-expired": "begin again with the first page",
  damaged: "keep the data folder as it is, and restore a backup beside it",
  failed: "ask again; the collector's log may say more",
};

/** Where an answer has not begun yet: the HTTP status of a search that failed. */
export const SEARCH_STATUS: Readonly<Record<SearchErrorCode, number>> = {
  "query-invalid": 400,
  "request-invalid": 400,
  deadline: 504,
  cancelled: 503,
  "too-much": 413,
  "page-expired": 410,
  damaged: 500,
  failed: 500,
};

/** How a failure in the collector is told to a client: nothing of its insides but what it says itself. */
export function toApiError(error: unknown): ApiError {
  if (error instanceof SearchError) {
    return {
      code: error.code,
      message: error.message,
      advice: ADVICE[error.code],
      ...(error.query !== undefined && {
        column: error.query.column,
        length: error.query.length,
        ...(error.query.hint !== undefined && { hint: error.query.hint }),
      }),
    };
  }
  if (error instanceof StoreError) {
    return { code: error.code, message: error.message, advice: error.advice };
  }
  if (error instanceof Failure) {
    return { code: "refused", message: error.message, advice: error.advice };
  }
  return {
    code: "internal",
    message: "the collector failed to answer",
    advice: "its log says why",
  };
}

/** The error that a command reports for what the collector said: a search's own as the store throws it. */
export function fromApiError(error: ApiError): Error {
  const { code, message, advice, column, length, hint } = error;
  if (code === "query-invalid" && column !== undefined) {
    const query = { message, column, length: length ?? 1, ...(hint !== undefined && { hint }) };
    return new SearchError(code, message, query);
  }
  return isSearchErrorCode(code) && code !== "query-invalid"
    ? new SearchError(code, message)
    : new Failure(message, advice, EXIT.failed);
}

function isSearchErrorCode(code: string): code is SearchErrorCode {
  return Object.hasOwn(ADVICE, code);
}

export function searchAdvice(code: SearchErrorCode): string {
  return ADVICE[code];
}
