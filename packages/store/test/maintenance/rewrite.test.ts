import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { LogKeeper } from "../log-keeper.ts";
import { STREAMS } from "../log-lines.ts";
import { type LogStream, StoredLog } from "../stored-log.ts";

/** Records by the size of their bodies and the mark by which they are deleted; together blocks of all kinds. */
const anyStream = fc.array(
  fc.record({ size: fc.constantFrom(10, 10, 60_000, 150_000), mark: fc.nat({ max: 5 }) }),
  { minLength: 1, maxLength: 30 },
);

let log: StoredLog;

beforeAll(() => {
  log = new StoredLog();
});

afterAll(() => log[Symbol.dispose]());

describe("what is left of streams with blocks of their own and shares of others", () => {
  it("is all that was not deleted, written anew once or twice and merged", async () => {
    const keeper = new LogKeeper(log);
    await fc.assert(
      fc.asyncProperty(
        fc.array(anyStream, { minLength: 1, maxLength: STREAMS.length }),
        fc.array(fc.nat({ max: 5 }), { maxLength: 2 }),
        fc.boolean(),
        async (streams, deleted, isInParts) => {
          log.clear();
          for (const [stream, records] of streams.entries()) {
            for (let at = 0; at < records.length; at += 4) {
              const bodies = records
                .slice(at, at + 4)
                .map(({ size, mark }) => ({ body: `mark${mark} ${"x".repeat(size)}` }));
              log.append(STREAMS[stream] as LogStream, bodies);
              if (isInParts && at % 8 === 0) {
                await keeper.compact(1);
              }
            }
          }
          await keeper.compact(1);
          for (const mark of deleted) {
            keeper.delete({ query: `mark${mark}` });
            await keeper.removeDeleted();
          }
          await keeper.merge(keeper.segments.map(({ id }) => id));
          expect(keeper.findings()).toEqual([]);
          expect(keeper.factFindings()).toEqual([]);
          const left = log.records
            .filter(({ body }) => !deleted.some((mark) => String(body).startsWith(`mark${mark} `)))
            .map(({ id }) => id)
            .toSorted();
          expect(log.ids({ order: "stream" }).toSorted()).toEqual(left);
          expect(log.ids({ order: "time" }).toSorted()).toEqual(left);
        },
      ),
      { numRuns: 25 },
    );
  }, 60_000);
});
