import {
  err,
  ok,
  parseDuration,
  parseSize,
  parseTimeExpression,
  type Result,
  type TimeUs,
  timeUs,
} from "@sluice/quantity";
import { parseRecordId, type SearchRequest } from "@sluice/store";
import * as z from "zod";

import type { ApiError } from "./api-error.ts";

/** Rows of an answer that does not say how many. */
const DEFAULT_ROWS = 100;

const DEFAULT_DEADLINE = "1m";
const MAX_DEADLINE_MS = 24 * 3600 * 1000;

const FLAG = z
  .enum(["0", "1", "false", "true"])
  .transform((text) => text === "1" || text === "true");
const NUMBER = z.string().regex(/^\d{1,15}$/, "expected a whole number");

const SEARCH = z.strictObject({
  q: z.string().default(""),
  since: z.string().optional(),
  until: z.string().optional(),
  n: NUMBER.transform(Number).optional(),
  all: FLAG.default(false),
  order: z.enum(["time", "stream"]).default("time"),
  reverse: FLAG.default(false),
  after: z.string().optional(),
  page: z.string().optional(),
  last: FLAG.default(false),
  maxRead: z.string().optional(),
  deadline: z.string().default(DEFAULT_DEADLINE),
  render: z.enum(["rows", "bodies"]).default("rows"),
  progress: FLAG.default(false),
});

const TAIL = z.strictObject({
  q: z.string().default(""),
  from: NUMBER.transform(Number).optional(),
});

export interface SearchParameters {
  readonly request: SearchRequest;
  readonly progress: boolean;
}

export interface TailParameters {
  readonly query: string;
  readonly from: number | undefined;
}

/** Reads the parameters of `/v1/query`. One that is not known is an error: it would be ignored otherwise. */
export function readSearch(
  query: Readonly<Record<string, string>>,
  nowUs: number,
): Result<SearchParameters, ApiError> {
  const parsed = SEARCH.safeParse(query);
  if (!parsed.success) {
    return err(wrong(parsed.error));
  }
  const { q, n, all, order, reverse, after, page, last, render, progress } = parsed.data;
  const since = readTime(parsed.data.since, timeUs(nowUs));
  const until = readTime(parsed.data.until, timeUs(nowUs));
  const deadline = parseDuration(parsed.data.deadline);
  if (!since.ok || !until.ok || !deadline.ok) {
    const [name, problem] = !since.ok
      ? ["since", since]
      : !until.ok
        ? ["until", until]
        : ["deadline", deadline];
    return err(badParameter(`${name}: ${problem.ok ? "" : problem.error}`));
  }
  if (after !== undefined && parseRecordId(after) === undefined) {
    return err(badParameter("after: expected the id of a row"));
  }
  if (after !== undefined && page !== undefined) {
    return err(badParameter("after and page both say where to go on: give one of them"));
  }
  const maxRead = parsed.data.maxRead === undefined ? undefined : parseSize(parsed.data.maxRead);
  if (maxRead?.ok === false) {
    return err(badParameter(`maxRead: ${maxRead.error}`));
  }
  return ok({
    progress,
    request: {
      query: q,
      fromUs: since.value,
      untilUs: until.value,
      order,
      reverse,
      limit: all ? undefined : (n ?? DEFAULT_ROWS),
      afterId: after,
      page,
      ...(last && { isLast: true }),
      maxReadBytes: maxRead?.value,
      render,
      deadlineMs: Math.min(deadline.value, MAX_DEADLINE_MS),
    },
  });
}

/** Reads the parameters of `/v1/tail`. */
export function readTail(
  query: Readonly<Record<string, string>>,
): Result<TailParameters, ApiError> {
  const parsed = TAIL.safeParse(query);
  return parsed.success
    ? ok({ query: parsed.data.q, from: parsed.data.from })
    : err(wrong(parsed.error));
}

/** Times without an offset are UTC: a client's zone is its own business. */
function readTime(text: string | undefined, nowUs: TimeUs): Result<TimeUs | undefined> {
  return text === undefined ? ok(undefined) : parseTimeExpression(text, { nowUs, zone: "utc" });
}

function wrong(error: z.ZodError): ApiError {
  const [issue] = error.issues;
  const place = issue?.path.join(".") ?? "";
  return badParameter(`${place === "" ? "" : `${place}: `}${issue?.message ?? "not understood"}`);
}

function badParameter(message: string): ApiError {
  return {
    code: "parameter-invalid",
    message,
    advice: "see docs/querying.md for the parameters of the API",
  };
}
