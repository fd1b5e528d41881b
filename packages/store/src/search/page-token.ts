import { createHash } from "node:crypto";
import type { Cutoffs } from "@sluice/retention/rules";

import { type RetentionCutoffs, Visibility } from "../manifest/visibility.ts";
import type { Moment } from "./run-catalog.ts";
import { PAGE_EXPIRED, SearchError } from "./search-error.ts";
import type { SearchRequest } from "./search-request.ts";
import type { TimeKey } from "./time-merge.ts";

/** How long a page may be followed by the next one: what it saw is kept on the disk for so long. */
export const PAGE_LIFE_MS: number = 5 * 60_000;

interface PageToken {
  readonly version: number;
  readonly highWater: number;
  /** Those of the policy with this hash. */
  readonly cutoffs: Cutoffs;
  readonly policy: string;
  readonly query: string;
  readonly expiresMs: number;
  readonly after: TimeKey;
}

/** Where a search goes on, and in which moment. */
export interface PageStart {
  readonly moment: Moment;
  readonly after: TimeKey;
}

/** A token names the moment that a page saw and its last row; it means something only with the same question. */
export function encodePageToken(request: SearchRequest, moment: Moment, after: TimeKey): string {
  const { version, highWater, visibility } = moment;
  const token: PageToken = {
    version,
    highWater,
    cutoffs: { ...cutoffsOf(visibility)?.cutoffs },
    policy: hash(cutoffsOf(visibility)?.policy),
    query: hash(questionOf(request)),
    expiresMs: Date.now() + PAGE_LIFE_MS,
    after,
  };
  return Buffer.from(JSON.stringify(token)).toString("base64url");
}

/** @throws SearchError for a token that is none, is of another question, or is too old */
export function decodePageToken(
  text: string,
  request: SearchRequest,
  current: Visibility,
): PageStart {
  const token = parseToken(text);
  if (token === undefined || token.query !== hash(questionOf(request))) {
    throw new SearchError(
      "request-invalid",
      "the page token is not one of this query: send it with the same query, range and order",
    );
  }
  const { version, highWater, cutoffs, policy, expiresMs, after } = token;
  if (Date.now() > expiresMs) {
    throw new SearchError("page-expired", PAGE_EXPIRED);
  }
  const now = cutoffsOf(current);
  if (hash(now?.policy) !== policy) {
    throw new SearchError(
      "page-expired",
      "the retention policy has changed since the page before: begin the query again",
    );
  }
  const visibility =
    now === undefined ? current : new Visibility(JSON.stringify({ policy: now.policy, cutoffs }));
  return { moment: { version, highWater, visibility }, after };
}

/** The manifest version that a token means, if it is one. */
export function versionOfPage(text: string): number | undefined {
  return parseToken(text)?.version;
}

function parseToken(text: string): PageToken | undefined {
  const token = parseJson(Buffer.from(text, "base64url").toString("utf8"));
  return isPageToken(token) ? token : undefined;
}

/** Strict, as with all that comes from outside: what is not in every token of ours is not in this one. */
function isPageToken(value: unknown): value is PageToken {
  return (
    isObject(value, 7) &&
    hasIntegers(value, ["version", "highWater", "expiresMs"]) &&
    isObject(value["cutoffs"]) &&
    Object.values(value["cutoffs"]).every((cutoff) => typeof cutoff === "number") &&
    typeof value["policy"] === "string" &&
    typeof value["query"] === "string" &&
    isObject(value["after"], 3) &&
    hasIntegers(value["after"], ["timeUs", "streamId", "seq"])
  );
}

function isObject(value: unknown, keys?: number): value is Readonly<Record<string, unknown>> {
  return (
    typeof value === "object" &&
    value !== null &&
    (keys === undefined || Object.keys(value).length === keys)
  );
}

function hasIntegers(value: Readonly<Record<string, unknown>>, keys: readonly string[]): boolean {
  return keys.every((key) => Number.isSafeInteger(value[key]));
}

function questionOf({ query, order, reverse, fromUs, untilUs, arrived }: SearchRequest): unknown {
  return [query, order, reverse, fromUs ?? null, untilUs ?? null, arrived ?? null];
}

function cutoffsOf({ text }: Visibility): RetentionCutoffs | undefined {
  return text === undefined ? undefined : (JSON.parse(text) as RetentionCutoffs);
}

function hash(value: unknown): string {
  return createHash("sha256")
    .update(JSON.stringify(value) ?? "")
    .digest("base64url")
    .slice(0, 16);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
