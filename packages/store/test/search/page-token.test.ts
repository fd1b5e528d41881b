import type { TimeUs } from "@sluice/quantity";
import { type RetentionPolicyInput, retentionPolicySchema } from "@sluice/retention";
import { afterEach, describe, expect, it, vi } from "vitest";

import { Visibility } from "../../src/manifest/visibility.ts";
import {
  decodePageToken,
  encodePageToken,
  PAGE_LIFE_MS,
  versionOfPage,
} from "../../src/search/page-token.ts";
import type { Moment } from "../../src/search/run-catalog.ts";
import { SearchError } from "../../src/search/search-error.ts";
import type { SearchRequest } from "../../src/search/search-request.ts";
import { requestOf } from "../stored-log.ts";

const AFTER = { timeUs: 1_795_680_000_000_001, streamId: 7, seq: 12 };

afterEach(() => vi.useRealTimers());

function visibility(policy: RetentionPolicyInput, cutoff: number): Visibility {
  return new Visibility(
    JSON.stringify({
      policy: retentionPolicySchema.parse(policy),
      cutoffs: { default: cutoff as TimeUs },
    }),
  );
}

function moment(seen: Visibility = new Visibility(undefined)): Moment {
  return { version: 5, highWater: 9, visibility: seen };
}

function errorOf(work: () => unknown): SearchError {
  try {
    work();
  } catch (error) {
    if (error instanceof SearchError) {
      return error;
    }
    throw error;
  }
  throw new Error("it was taken");
}

describe("a page token", () => {
  it("brings back where a page ended, and what it saw", () => {
    const request = requestOf({ query: "needle" });
    const token = encodePageToken(request, moment(), AFTER);
    const start = decodePageToken(token, request, new Visibility(undefined));
    expect(start.after).toEqual(AFTER);
    expect(start.moment).toMatchObject({ version: 5, highWater: 9 });
    expect(versionOfPage(token)).toBe(5);
    expect(token).toMatch(/^[A-Za-z0-9_-]+$/);
  });

  it("brings back the cutoffs of then, under the policy of now", () => {
    const request = requestOf({});
    const token = encodePageToken(request, moment(visibility({ keep: "1d" }, 100)), AFTER);
    const start = decodePageToken(token, request, visibility({ keep: "1d" }, 900));
    const stream = { host: "", source: "", labels: {} };
    expect(start.moment.visibility.visibleFromUs(stream)[9]).toBe(100);
  });

  it.each<[string, Partial<SearchRequest>]>([
    ["query", { query: "other" }],
    ["order", { order: "stream" }],
    ["direction", { reverse: true }],
    ["begin", { fromUs: 6 }],
    ["end", { untilUs: 8 }],
    ["range of arrival", { arrived: { after: 0, upTo: 3 } }],
  ])("is refused with another %s", (_what, other) => {
    const token = encodePageToken(requestOf({ fromUs: 5, untilUs: 9 }), moment(), AFTER);
    const error = errorOf(() =>
      decodePageToken(token, requestOf({ fromUs: 5, untilUs: 9, ...other }), visibility({}, 0)),
    );
    expect(error).toMatchObject({ code: "request-invalid" });
    expect(error.message).toContain("not one of this query");
  });

  it("is taken with another limit, rendering and deadline", () => {
    const token = encodePageToken(requestOf({ limit: 3 }), moment(), AFTER);
    const other = requestOf({ limit: 70, render: "bodies", deadlineMs: 5 });
    expect(decodePageToken(token, other, new Visibility(undefined)).after).toEqual(AFTER);
  });

  it("is taken up to the end of its life, and then said to have expired", () => {
    vi.useFakeTimers();
    const request = requestOf({});
    const token = encodePageToken(request, moment(), AFTER);
    vi.advanceTimersByTime(PAGE_LIFE_MS);
    decodePageToken(token, request, new Visibility(undefined));
    vi.advanceTimersByTime(1);
    const error = errorOf(() => decodePageToken(token, request, new Visibility(undefined)));
    expect(error).toMatchObject({ code: "page-expired" });
    expect(error.message).toContain("begin the query again");
  });

  it.each<[string, Visibility, Visibility]>([
    ["another one", visibility({ keep: "1d" }, 5), visibility({ keep: "2d" }, 5)],
    ["one at last", new Visibility(undefined), visibility({}, 5)],
    ["none any more", visibility({}, 5), new Visibility(undefined)],
  ])("has expired where the policy is %s", (_what, then, now) => {
    const request = requestOf({});
    const token = encodePageToken(request, moment(then), AFTER);
    const error = errorOf(() => decodePageToken(token, request, now));
    expect(error).toMatchObject({ code: "page-expired" });
    expect(error.message).toContain("policy has changed");
  });

  it.each([
    ["nothing", () => ""],
    ["no base64", () => "%%%"],
    ["no JSON", () => Buffer.from("{").toString("base64url")],
    ["other JSON", () => Buffer.from("[]").toString("base64url")],
    ["one with more in it", () => altered({ more: 1 })],
    ["one with cutoffs that are none", () => altered({ cutoffs: { default: "x" } })],
    ["one with a version that is none", () => altered({ version: 1.5 })],
    ["one without a place", () => altered({ after: undefined })],
  ])("is told from %s", (_what, token) => {
    const error = errorOf(() => decodePageToken(token(), requestOf({}), new Visibility(undefined)));
    expect(error).toMatchObject({ code: "request-invalid" });
    expect(error.message).toContain("not one of this query");
    expect(versionOfPage(token())).toBeUndefined();
  });
});

function altered(change: object): string {
  const token = encodePageToken(requestOf({}), moment(), AFTER);
  const content = JSON.parse(Buffer.from(token, "base64url").toString()) as object;
  return Buffer.from(JSON.stringify({ ...content, ...change })).toString("base64url");
}
