import { compileFilter, type Filter, parseQuery, printFilter } from "@sluice/query";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { EncodedScan } from "../../src/search/encoded-scan.ts";
import { OpenBlockRun } from "../../src/search/open-run.ts";
import { runFacts } from "../../src/segment/run-facts.ts";
import { decoded } from "../block/decoded.ts";
import { type RecordOfTest, recordLists, runOf } from "../block/runs.ts";
import type { TestRecord } from "../frames.ts";
import { LogKeeper } from "../log-keeper.ts";
import { anyBatch, STREAMS } from "../log-lines.ts";
import { type LogStream, StoredLog } from "../stored-log.ts";
import { pieceFilters } from "./piece-filters.ts";

/** More of them by hand: `STORE_SCAN_RUNS=10000 vitest run --project store test/search/encoded-scan`. */
const RUNS = Number(process.env["STORE_SCAN_RUNS"] ?? 200);
const TIMEOUT_MS = 60_000 + RUNS * 200;

const anyLines = fc.oneof(
  recordLists,
  anyBatch.map((records) =>
    records.map(({ timeUs = 0, severity = 0, body, attributes }): RecordOfTest => ({
      timeUs,
      severity,
      body: Uint8Array.from(body as Buffer),
      attributes,
    })),
  ),
);

function identityOf(streamId: number) {
  const { host = "", source, labels = {} } = STREAMS[streamId] ?? { source: "" };
  return { host, source, labels };
}

describe("a scan of the text as it is stored", () => {
  it(
    "finds what the evaluator finds record by record, or says that it cannot tell",
    () => {
      let told = 0;
      fc.assert(
        fc.property(
          fc.array(anyLines, { minLength: 1, maxLength: 3 }),
          pieceFilters,
          (lists, make) => {
            const runs = lists.map((list, streamId) => runOf(list, streamId + 1));
            const { index, text } = decoded(runs, 1);
            const block = { index, text, arrivalEnds: undefined };
            const filter = compileFilter(make(bodiesOf(lists)));
            const scan = new EncodedScan(filter);
            let fromRecord = 0;
            runs.forEach((run, id) => {
              const facts = runFacts(run);
              const place = { ...facts, id, block: 0, fromRecord };
              fromRecord += facts.count;
              const open = new OpenBlockRun(place, block, () => text);
              const stream = identityOf(run.streamId);
              const found = scan.scan(stream, open, () => true);
              if (found !== undefined) {
                told += 1;
                expect(found).toEqual(
                  indices(facts.count).filter((at) => filter.matches(stream, run.columns, at)),
                );
              }
            });
          },
        ),
        { numRuns: RUNS },
      );
      // Else it would not have been tried.
      expect(told).toBeGreaterThan(RUNS / 4);
    },
    TIMEOUT_MS,
  );
});

describe("a search of a block that streams share", () => {
  it("finds by a label what it does not find by a body, whichever stream comes first", async () => {
    using log = new StoredLog();
    const [plain, , labelled] = STREAMS as [LogStream, LogStream, LogStream];
    log.append(plain, [{ body: "user=root abc" }]);
    log.append(labelled, [{ body: "abc" }]);
    await new LogKeeper(log).compact();
    expect(log.ids({ query: "abc user:root" })).toHaveLength(2);
  });
});

describe("a search of segments", () => {
  let log: StoredLog;

  beforeAll(() => {
    log = new StoredLog();
  });

  afterAll(() => log[Symbol.dispose]());

  it(
    "finds what the evaluator finds record by record, whatever it skips on the way",
    async () => {
      const keeper = new LogKeeper(log);
      const batches = fc.array(fc.tuple(fc.nat({ max: STREAMS.length - 1 }), anyBatch), {
        minLength: 1,
        maxLength: 6,
      });
      await fc.assert(
        fc.asyncProperty(
          batches,
          fc.array(pieceFilters, { minLength: 1, maxLength: 6 }),
          fc.boolean(),
          async (stored, filters, isSplit) => {
            log.clear();
            for (const [stream, records] of stored) {
              log.append(STREAMS[stream] as (typeof STREAMS)[0], records);
              if (isSplit) {
                await keeper.compact(1);
              }
            }
            await keeper.compact(1);
            const bodies = log.records.map(({ body }) => Buffer.from(body as string));
            for (const make of filters) {
              const filter = make(bodies);
              const query = printFilter(filter);
              expect(parseQuery(query)).toMatchObject({ ok: true, value: { filter } });
              expect({ query, ids: log.ids({ query, order: "stream" }).toSorted() }).toEqual({
                query,
                ids: expectedIds(log, filter),
              });
            }
          },
        ),
        { numRuns: RUNS / 4 },
      );
    },
    TIMEOUT_MS,
  );
});

function expectedIds({ records }: StoredLog, filter: Filter): string[] {
  const { matches } = compileFilter(filter);
  return records
    .filter(({ agentId, source, generation, timeUs, severity, body, attributes }) => {
      const streamId = STREAMS.findIndex(
        (one) => one.agentId === agentId && one.source === source && one.generation === generation,
      );
      const bytes = Uint8Array.from(Buffer.from(body as string));
      const { columns } = runOf([{ timeUs, severity, body: bytes, attributes }]);
      return matches(identityOf(streamId), columns, 0);
    })
    .map(({ id }) => id)
    .toSorted();
}

function bodiesOf(lists: readonly (readonly { readonly body: TestRecord["body"] }[])[]): Buffer[] {
  return lists.flatMap((list) => list.map(({ body }) => Buffer.from(body as string)));
}

function indices(count: number): number[] {
  return Array.from({ length: count }, (_, at) => at);
}
