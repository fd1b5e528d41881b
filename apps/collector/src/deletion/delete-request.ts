import { err, ok, parseTimeExpression, type Result, type TimeUs } from "@sluice/quantity";
import { parseQuery } from "@sluice/query";
import { SearchError } from "@sluice/store";
import * as z from "zod";

import { type ApiError, toApiError } from "../api/api-error.ts";
import type {
  DeleteOptions,
  DeletePreview,
  DeleteReport,
  DeleteSelection,
} from "./delete-report.ts";
import type { DeletionDesk } from "./deletion-desk.ts";

const REQUEST = z.union([
  z.strictObject({ confirm: z.string(), wait: z.boolean().default(false) }),
  z.strictObject({
    query: z.string().min(1),
    since: z.string().optional(),
    until: z.string().optional(),
    dryRun: z.boolean().default(false),
    wait: z.boolean().default(false),
  }),
]);

/** The body of `POST /v1/delete`. */
export type DeleteRequest =
  | ({ readonly kind: "confirmed" } & DeleteOptions)
  | {
      readonly kind: "selected";
      readonly selection: DeleteSelection;
      readonly dryRun: boolean;
      readonly wait: boolean;
    };

/** Reads it. Times without an offset are UTC; a query is never empty, so that nobody deletes everything by a slip. */
export function readDeleteRequest(body: unknown, nowUs: TimeUs): Result<DeleteRequest, ApiError> {
  const parsed = REQUEST.safeParse(body);
  if (!parsed.success) {
    return wrong(
      "this is not a delete request",
      'send {"query": "...", "dryRun": true}, with since and until where wanted, or {"confirm": "..."} of a preview',
    );
  }
  if ("confirm" in parsed.data) {
    return ok({ kind: "confirmed", ...parsed.data });
  }
  const { query: text, since, until, dryRun, wait } = parsed.data;
  const query = parseQuery(text);
  if (!query.ok) {
    return err(toApiError(new SearchError("query-invalid", query.error.message, query.error)));
  }
  if (query.value.stages.length > 0) {
    return wrong("query: a delete takes a filter alone", "leave out the stages behind |");
  }
  const fromUs = readTime(since, nowUs);
  const untilUs = readTime(until, nowUs);
  if (!fromUs.ok || !untilUs.ok) {
    return wrong(
      fromUs.ok ? "until is no time" : "since is no time",
      "write it as for /v1/query: 2026-11-24T08:00:00Z, 1h, yesterday",
    );
  }
  const selection = { query: text, fromUs: fromUs.value, untilUs: untilUs.value };
  return ok({ kind: "selected", selection, dryRun, wait });
}

/** Carries it out; a delete that nobody has looked at before is looked at first. */
export async function answerDelete(
  desk: DeletionDesk,
  request: DeleteRequest,
  signal: AbortSignal,
): Promise<DeletePreview | DeleteReport> {
  if (request.kind === "confirmed") {
    return await desk.delete(request);
  }
  const preview = await desk.preview(request.selection, signal);
  const { confirm } = preview;
  return request.dryRun ? preview : await desk.delete({ confirm, wait: request.wait });
}

function readTime(text: string | undefined, nowUs: TimeUs): Result<TimeUs | undefined> {
  return text === undefined ? ok(undefined) : parseTimeExpression(text, { nowUs, zone: "utc" });
}

function wrong(message: string, advice: string): Result<DeleteRequest, ApiError> {
  return err({ code: "parameter-invalid", message, advice });
}
