import type { QueryError } from "@sluice/query";

export type SearchErrorCode =
  | "query-invalid"
  /** Parts of the request do not go together, or name what is not of this query. */
  | "request-invalid"
  | "deadline"
  | "cancelled"
  | "too-much"
  | "page-expired"
  | "damaged"
  | "failed";

export const PAGE_EXPIRED = "the page token has expired: begin the query again";

/** A search that did not come to its end. `query` says where, for a query that cannot be read. */
export class SearchError extends Error {
  readonly code: SearchErrorCode;
  readonly query: QueryError | undefined;

  constructor(code: SearchErrorCode, message: string, query?: QueryError) {
    super(message);
    this.name = "SearchError";
    this.code = code;
    this.query = query;
  }
}
