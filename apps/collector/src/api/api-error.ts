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
  deadline: "allow it more time with --timeout (in the API: deadline=)",
  cancelled: "ask again",
  "too-much": "narrow the query, or allow it more with --max-read (in the API: maxRead=)",
  "page-expired": "begin again with the first page",
  damaged: "keep the data folder as it is, and restore a backup beside it",
  failed: "ask again; the collector's log may say more",
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
  return {
    code: "internal",
    message: "the collector failed to answer",
    advice: "its log says why",
  };
}

/** The error that a command reports for what the collector said. */
export function fromApiError(error: ApiError): Error {
  const { code, message, advice, column, length, hint } = error;
  if (code === "query-invalid" && column !== undefined) {
    const query = { message, column, length: length ?? 1, ...(hint !== undefined && { hint }) };
    return new SearchError(code, message, query);
  }
  return new Failure(message, advice, EXIT.failed);
}

export function searchAdvice(code: SearchErrorCode): string {
  return ADVICE[code];
}
