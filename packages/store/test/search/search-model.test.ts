import type { TimeUs } from "@sluice/quantity";
import { type RetentionPolicyInput, retentionPolicySchema } from "@sluice/retention";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import type { SearchRequest } from "../../src/search/search-request.ts";
import type { TestRecord } from "../frames.ts";
import { type LogStream, type ModelRecord, StoredLog } from "../stored-log.ts";

const STREAMS: readonly LogStream[] = [
  { agentId: "b-agent", source: "/var/log/syslog", generation: 1 },
  { agentId: "a-agent", source: "/var/log/syslog", generation: 2 },
  { agentId: "a-agent", source: "/var/log/auth.log", generation: 1 },
  { agentId: "a-agent", source: "/var/log/syslog", generation: 1 },
];

/** Errors are kept from one receipt time on, everything else from another. */
interface Cutoffs {
  readonly errorsUs: number;
  readonly othersUs: number;
}

const POLICY: RetentionPolicyInput = {
  keep: "1d",
  rules: [{ match: { level: ">=error" }, keep: "9d" }],
};

type Selection = Pick<
  SearchRequest,
  "query" | "fromUs" | "untilUs" | "arrived" | "order" | "reverse"
>;

const QUERIES: Readonly<Record<string, (record: ModelRecord) => boolean>> = {
  "*": () => true,
  needle: ({ body }) => body === "a needle",
  "level:>=warn": ({ severity }) => severity >= 13,
  "source:*auth.log": ({ source }) => source.endsWith("auth.log"),
  "-needle": ({ body }) => body !== "a needle",
};

/** Few distinct moments, so that equal times are common; streams and batches overlap and go back. */
const anyRecord = fc.record({
  body: fc.constantFrom("a needle", "hay"),
  timeUs: fc.integer({ min: 0, max: 12 }),
  severity: fc.constantFrom(0, 9, 13, 17),
});
const sortedRecords = fc
  .array(anyRecord, { minLength: 1, maxLength: 12 })
  .map((records) => records.toSorted((a, b) => a.timeUs - b.timeUs));
const anyBatch = fc.record({
  stream: fc.nat({ max: STREAMS.length - 1 }),
  records: fc.oneof(sortedRecords, fc.array(anyRecord, { minLength: 1, maxLength: 12 })),
});
type Batch = { readonly stream: number; readonly records: readonly TestRecord[] };
const batches = fc.array(anyBatch, { maxLength: 14 });
const time = fc.option(fc.integer({ min: -1, max: 14 }), { nil: undefined });
const anySelection: fc.Arbitrary<Selection> = fc.record({
  query: fc.constantFrom(...Object.keys(QUERIES)),
  fromUs: time,
  untilUs: time,
  order: fc.constantFrom("time" as const, "stream" as const),
  reverse: fc.boolean(),
  arrived: fc.option(fc.record({ after: fc.nat({ max: 14 }), upTo: fc.nat({ max: 14 }) }), {
    nil: undefined,
  }),
});
const cutoffs = fc.option(
  fc.record({ errorsUs: fc.nat({ max: 15 }), othersUs: fc.nat({ max: 15 }) }),
  { nil: undefined },
);

/** Batch n is received at time n, by which the cutoffs tell it. */
function fill(log: StoredLog, added: readonly Batch[]): void {
  for (const { stream, records } of added) {
    log.append(STREAMS[stream] as LogStream, records, (log.records.at(-1)?.receivedUs ?? 0) + 1);
  }
}

function hide(log: StoredLog, hidden: Cutoffs | undefined): void {
  if (hidden !== undefined) {
    const policy = retentionPolicySchema.parse(POLICY);
    const { errorsUs, othersUs } = hidden;
    log.setVisibility({
      policy,
      cutoffs: { 0: errorsUs as TimeUs, default: othersUs as TimeUs },
    });
  }
}

function compare(a: string | number, b: string | number): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

const ORDERS: Readonly<Record<SearchRequest["order"], (a: ModelRecord, b: ModelRecord) => number>> =
  {
    time: (a, b) => a.timeUs - b.timeUs || a.streamId - b.streamId || a.seq - b.seq,
    stream: (a, b) =>
      compare(a.agentId, b.agentId) ||
      compare(a.source, b.source) ||
      a.generation - b.generation ||
      a.seq - b.seq,
  };

/** What the search must answer, said as plainly as can be. */
function expectedIds(
  records: readonly ModelRecord[],
  selection: Selection,
  hidden: Cutoffs | undefined,
): string[] {
  const { query, order, reverse, arrived, fromUs = -Infinity, untilUs = Infinity } = selection;
  const matches = QUERIES[query] ?? (() => false);
  const sorted = records
    .filter(
      (record) =>
        matches(record) &&
        record.timeUs >= fromUs &&
        record.timeUs < untilUs &&
        (arrived === undefined ||
          (record.batchId > arrived.after && record.batchId <= arrived.upTo)) &&
        (hidden === undefined ||
          record.receivedUs >= (record.severity >= 17 ? hidden.errorsUs : hidden.othersUs)),
    )
    .toSorted(ORDERS[order]);
  return (reverse ? sorted.toReversed() : sorted).map(({ id }) => id);
}

/** The whole answer in pages of `limit`, each behind the last row of the one before. */
function idsInPages(
  log: StoredLog,
  selection: Selection,
  limit: number,
  between: (page: number) => void = () => undefined,
): string[] {
  const ids: string[] = [];
  for (let page = 0; ; page++) {
    const found = log.ids({ ...selection, limit, afterId: ids.at(-1) });
    ids.push(...found);
    if (found.length < limit) {
      return ids;
    }
    between(page);
  }
}

describe("a search against a plain array", () => {
  let log: StoredLog;

  beforeAll(() => {
    log = new StoredLog();
  });

  afterAll(() => log[Symbol.dispose]());

  it("answers the same in any order, in either direction, under any cutoffs", () => {
    fc.assert(
      fc.property(batches, anySelection, cutoffs, (stored, selection, hidden) => {
        log.clear();
        fill(log, stored);
        hide(log, hidden);
        expect(log.ids(selection)).toEqual(expectedIds(log.records, selection, hidden));
      }),
      { numRuns: 200 },
    );
  });

  it("gives the first rows of that answer under a limit", () => {
    fc.assert(
      fc.property(
        batches,
        anySelection,
        cutoffs,
        fc.nat({ max: 20 }),
        (stored, selection, hidden, limit) => {
          log.clear();
          fill(log, stored);
          hide(log, hidden);
          const expected = expectedIds(log.records, selection, hidden).slice(0, limit);
          expect(log.ids({ ...selection, limit })).toEqual(expected);
        },
      ),
      { numRuns: 100 },
    );
  });

  it("gives the same rows at any page size", () => {
    fc.assert(
      fc.property(batches, anySelection, cutoffs, (stored, selection, hidden) => {
        log.clear();
        fill(log, stored);
        hide(log, hidden);
        const expected = expectedIds(log.records, selection, hidden);
        for (const limit of [1, 7, 1000]) {
          expect(idsInPages(log, selection, limit)).toEqual(expected);
        }
      }),
      { numRuns: 60 },
    );
  });

  it("gives the same rows while batches arrive between its pages", () => {
    fc.assert(
      fc.property(batches, batches, anySelection, (stored, later, selection) => {
        log.clear();
        fill(log, stored);
        const { highWater } = log.search({ limit: 0 }).summary;
        expect(highWater).toBe(stored.length);
        const known = { ...selection, arrived: { after: 0, upTo: highWater } };
        const expected = expectedIds(log.records, known, undefined);
        const arriving = [...later];
        const ids = idsInPages(log, known, 3, () => fill(log, arriving.splice(0, 1)));
        expect(ids).toEqual(expected);
      }),
      { numRuns: 60 },
    );
  });

  it("gives each row once and in order while batches are pruned between its pages, or says that it cannot", () => {
    fc.assert(
      fc.property(
        batches,
        anySelection,
        fc.infiniteStream(fc.nat({ max: 14 })),
        (stored, selection, picks) => {
          log.clear();
          fill(log, stored);
          const expected = expectedIds(log.records, selection, undefined);
          const pruned = new Set<number>();
          const rank = new Map(expected.map((id, i) => [id, i]));
          const batchOf = new Map(log.records.map(({ id, batchId }) => [id, batchId]));
          let ids: string[];
          try {
            ids = idsInPages(log, selection, 3, () => {
              const victim = picks.next().value;
              pruned.add(victim);
              log.prune(victim);
            });
          } catch (error) {
            expect(String(error)).toMatch(/no longer stored: begin the query again/);
            expect(selection.order).toBe("time");
            return;
          }
          const ranks = ids.map((id) => rank.get(id) ?? Number.NaN);
          expect(ranks).toEqual(ranks.toSorted((a, b) => a - b));
          expect(new Set(ids).size).toBe(ids.length);
          const missing = expected.filter((id) => !ids.includes(id));
          expect(missing.every((id) => pruned.has(batchOf.get(id) ?? -1))).toBe(true);
        },
      ),
      { numRuns: 60 },
    );
  });
});
