import { afterAll, beforeAll, describe, expect, it } from "vitest";

import type { SearchRequest } from "../../src/search/search-request.ts";
import { PAGE_ROWS } from "../../src/search/time-merge.ts";
import { LogKeeper } from "../log-keeper.ts";
import { STREAMS } from "../log-lines.ts";
import { type LogStream, type ModelRecord, rowsOf, StoredLog } from "../stored-log.ts";

const BATCHES = 12;
const BATCH_ROWS = 1_500;

let log: StoredLog;

/** Three streams in segments and in the head, many records of one moment, none in the order of time. */
beforeAll(async () => {
  log = new StoredLog();
  const keeper = new LogKeeper(log);
  for (let batch = 0; batch < BATCHES; batch++) {
    const records = Array.from({ length: BATCH_ROWS }, (_, i) => ({
      body: `record ${batch} ${i}`,
      timeUs: ((i * 7 + batch * 3) % 11) * 1_000,
      severity: i % 3 === 0 ? 17 : 9,
    }));
    log.append(STREAMS[batch % 3] as LogStream, records);
    if (batch % 4 === 3 && batch < BATCHES - 1) {
      await keeper.compact(1);
    }
  }
});

afterAll(() => log[Symbol.dispose]());

function byTime(a: ModelRecord, b: ModelRecord): number {
  return a.timeUs - b.timeUs || a.streamId - b.streamId || a.seq - b.seq;
}

function expected({ query, reverse }: Pick<SearchRequest, "query" | "reverse">): string[] {
  const found = log.records
    .filter(({ severity }) => query === "*" || severity === 17)
    .toSorted(byTime)
    .map(({ id }) => id);
  return reverse ? found.toReversed() : found;
}

describe.each([
  { query: "*", reverse: false },
  { query: "*", reverse: true },
  { query: "level:error record", reverse: false },
  { query: "level:error record", reverse: true },
])("an answer of many pages to $query, in reverse: $reverse,", (request) => {
  it("has each row once and in order", () => {
    const ids = expected(request);
    expect(ids.length).toBeGreaterThan(PAGE_ROWS);
    expect(log.ids(request)).toEqual(ids);
  });

  it.each([1_000, PAGE_ROWS, PAGE_ROWS + 1])("has the same rows in pages of %i", (limit) => {
    const ids: string[] = [];
    let page: string | undefined;
    do {
      const { text, summary } = log.search({ ...request, limit, page });
      ids.push(...rowsOf<{ id: string }>(text).map(({ id }) => id));
      page = summary.nextPage;
    } while (page !== undefined);
    expect(ids).toEqual(expected(request));
  });

  it("ends early under a limit", () => {
    const { summary } = log.search({ ...request, limit: 5 });
    expect(summary.rows).toBe(5);
    expect(log.ids({ ...request, limit: 5 })).toEqual(expected(request).slice(0, 5));
  });
});
