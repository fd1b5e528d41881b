import { SearchError } from "@sluice/store";

import { type ApiError, SEARCH_STATUS, toApiError } from "./api-error.ts";

export const NOT_READY: ApiError = {
  code: "not-ready",
  message: "the store is not open",
  advice: "ask again in a moment; the collector's log says what it waits for",
};

export function busy(what: string): ApiError {
  return {
    code: "busy",
    message: `too many ${what} at a time`,
    advice: "ask again when others have ended",
  };
}

const HEADERS: Readonly<Record<number, Record<string, string>>> = {
  401: { "WWW-Authenticate": 'Bearer realm="sluice"' },
  503: { "Retry-After": "1" },
};

export function refuse(status: number, error: ApiError): Response {
  return Response.json(error, { status, headers: HEADERS[status] ?? {} });
}

/** A search that failed before its answer began. */
export function refuseSearch(error: unknown, failed: (error: unknown) => void): Response {
  const said = toApiError(error);
  if (said.code === "internal") {
    failed(error);
  }
  return refuse(error instanceof SearchError ? SEARCH_STATUS[error.code] : 500, said);
}
