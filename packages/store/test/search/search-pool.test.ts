import { readdirSync } from "node:fs";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { SearchError } from "../../src/search/search-error.ts";
import { CHUNKS_IN_FLIGHT } from "../../src/search/search-messages.ts";
import { SearchPool } from "../../src/search/search-pool.ts";
import type { SearchRequest, SearchRun } from "../../src/search/search-request.ts";
import { requestOf, rowsOf, StoredLog } from "../stored-log.ts";

const STREAM = { agentId: "a-1", source: "/var/log/syslog", generation: 1 };
const BATCHES = 30;
const BATCH_ROWS = 1300;
const ROWS = BATCHES * BATCH_ROWS;
const RUNAWAY = "/^(a+)+$/";

let log: StoredLog;
let pool: SearchPool;

beforeAll(async () => {
  log = new StoredLog();
  for (let batch = 0; batch < BATCHES; batch++) {
    const records = Array.from({ length: BATCH_ROWS }, (_, i) => ({
      body: `request ${batch * BATCH_ROWS + i} of many`,
      timeUs: batch * 10_000 + i,
    }));
    log.append(STREAM, records);
  }
  log.append(STREAM, [{ body: `${"a".repeat(40)}!`, timeUs: 1 }]);
  pool = new SearchPool(log.dataDir);
  // Both threads have started: what is timed below is not their start.
  await Promise.all([textOf(search({ limit: 1 })), textOf(search({ limit: 1 }))]);
});

afterAll(async () => {
  await pool[Symbol.asyncDispose]();
  log[Symbol.dispose]();
});

function search(request: Partial<SearchRequest>, signal = new AbortController().signal): SearchRun {
  return pool.search(requestOf(request), signal);
}

async function textOf(run: SearchRun): Promise<string> {
  let text = "";
  for await (const chunk of run) {
    text += Buffer.from(chunk).toString();
  }
  return text;
}

async function failureOf(run: SearchRun): Promise<SearchError> {
  const error: unknown = await textOf(run).catch((reason: unknown) => reason);
  if (!(error instanceof SearchError)) {
    throw new Error(`expected a SearchError, got ${String(error)}`);
  }
  await expect(run.summary).rejects.toBe(error);
  return error;
}

async function elapsedMs(work: () => Promise<unknown>): Promise<number> {
  const startedMs = performance.now();
  await work();
  return performance.now() - startedMs;
}

describe("a search in a thread", () => {
  it("gives whole rows in chunks, and a summary at its end", async () => {
    const run = search({ query: "request" });
    const rows = rowsOf<{ body: string }>(await textOf(run));
    expect(rows).toHaveLength(ROWS);
    expect(await run.summary).toMatchObject({ rows: ROWS, blocksRead: 31, damaged: 0 });
    expect(run.progress).toMatchObject({ blocksRead: 31, blocksTotal: 31 });
  });

  it("has given its lease back when it is over, whatever becomes of its thread", async () => {
    const leases = (): string[] => readdirSync(join(log.dataDir, "leases"));
    const before = leases(); // of pages that may still be followed
    await textOf(search({ query: "request" }));
    expect(leases()).toEqual(before);
    await failureOf(search({ query: "request", afterId: "none" }));
    expect(leases()).toEqual(before);
  });

  it("runs many at a time, more than there are threads", async () => {
    const runs = Array.from({ length: 8 }, (_, i) => search({ query: `"request ${i} of"` }));
    const texts = await Promise.all(runs.map(textOf));
    texts.forEach((text, i) =>
      expect(rowsOf(text)).toMatchObject([{ body: `request ${i} of many` }]),
    );
  });

  it("says where a query cannot be read", async () => {
    const error = await failureOf(search({ query: "level:>=loud" }));
    expect(error.code).toBe("query-invalid");
    expect(error.query?.column).toBeGreaterThan(0);
  });

  it("passes a refusal of the request on", async () => {
    const error = await failureOf(search({ query: "* | fields host", afterId: "1-1" }));
    expect(error).toMatchObject({ code: "request-invalid" });
  });
});

describe("a search that runs away", () => {
  it("ends soon after its deadline with its thread, and the pool works afterwards", async () => {
    let error: SearchError | undefined;
    const tookMs = await elapsedMs(async () => {
      error = await failureOf(search({ query: RUNAWAY, deadlineMs: 300 }));
    });
    expect(error?.code).toBe("deadline");
    expect(error?.message).toContain("0.3 s");
    expect(tookMs).toBeGreaterThanOrEqual(295);
    expect(tookMs).toBeLessThan(800);
    expect(rowsOf(await textOf(search({ limit: 3 })))).toHaveLength(3);
  });

  it("does not keep others from their turn, however many of them there are", async () => {
    const runaways = Array.from({ length: 3 }, () =>
      failureOf(search({ query: RUNAWAY, deadlineMs: 150 })),
    );
    const text = await textOf(search({ query: '"request 7 of"' }));
    expect(rowsOf(text)).toHaveLength(1);
    const errors = await Promise.all(runaways);
    expect(errors.map(({ code }) => code)).toEqual(["deadline", "deadline", "deadline"]);
  });
});

describe("a search that nobody wants any more", () => {
  it("ends at once when it is cancelled in the middle of a pattern", async () => {
    const abort = new AbortController();
    const run = search({ query: RUNAWAY }, abort.signal);
    await nextTurn();
    const tookMs = await elapsedMs(async () => {
      abort.abort();
      expect((await failureOf(run)).code).toBe("cancelled");
    });
    expect(tookMs).toBeLessThan(100);
    // Its thread is gone too: a search that needs both threads has them.
    await Promise.all([textOf(search({ limit: 1 })), textOf(search({ limit: 1 }))]);
  });

  it("tells its consumer within 200 ms", async () => {
    const abort = new AbortController();
    const run = search({ query: RUNAWAY }, abort.signal);
    await nextTurn();
    const tookMs = await elapsedMs(() => {
      abort.abort();
      return failureOf(run);
    });
    expect(tookMs).toBeLessThan(200);
  });

  it("never starts where it was cancelled before", async () => {
    const error = await failureOf(search({}, AbortSignal.abort()));
    expect(error.code).toBe("cancelled");
  });

  it("gives its thread back when its consumer stops in the middle", async () => {
    for (let round = 0; round < 4; round++) {
      const run = search({ query: "request" });
      for await (const chunk of run) {
        expect(chunk.length).toBeGreaterThan(0);
        break;
      }
      await expect(run.summary).rejects.toMatchObject({ code: "cancelled" });
    }
    expect(rowsOf(await textOf(search({ limit: 2 })))).toHaveLength(2);
  });
});

describe("a consumer that does not read", () => {
  it("holds the search up at a few chunks, and gets the rest once it reads", async () => {
    const run = search({ query: "request" });
    // It stands still at the same place whatever else the threads do meanwhile.
    await textOf(search({ query: "request" }));
    await textOf(search({ query: "request" }));
    const { blocksRead, blocksTotal } = run.progress;
    expect(blocksTotal).toBe(31);
    expect(blocksRead).toBeLessThanOrEqual(31 / 2);
    const chunks: Uint8Array[] = [];
    for await (const chunk of run) {
      chunks.push(chunk);
    }
    expect(chunks.length).toBeGreaterThan(CHUNKS_IN_FLIGHT);
    expect(rowsOf(Buffer.concat(chunks).toString())).toHaveLength(ROWS);
  });

  it("is held up just the same when the search before it was taken late", async () => {
    await using alone = new SearchPool(log.dataDir, 1);
    const signal = new AbortController().signal;
    const early = alone.search(requestOf({ query: "request", limit: 4096 * 3 }), signal);
    await early.summary;
    const late = alone.search(requestOf({ query: "request" }), signal);
    await textOf(early);
    const cancelled = new AbortController();
    const behind = alone.search(requestOf({}), cancelled.signal);
    await textOf(search({ query: "request" }));
    await textOf(search({ query: "request" }));
    expect(late.progress.blocksTotal).toBe(31);
    expect(late.progress.blocksRead).toBeLessThanOrEqual(31 / 2);
    cancelled.abort();
    await expect(behind.summary).rejects.toMatchObject({ code: "cancelled" });
    expect(rowsOf(await textOf(late))).toHaveLength(ROWS);
  });

  it("keeps no other search waiting", async () => {
    await using alone = new SearchPool(log.dataDir, 1);
    const { signal } = new AbortController();
    const idle = alone.search(requestOf({ query: "request" }), signal);
    const text = await textOf(alone.search(requestOf({ limit: 5 }), signal));
    expect(rowsOf(text)).toHaveLength(5);
    expect(rowsOf(await textOf(idle))).toHaveLength(ROWS);
  });

  it("is ended by the deadline", async () => {
    const idle = search({ query: "request", deadlineMs: 400 });
    await expect(idle.summary).rejects.toMatchObject({ code: "deadline" });
  });

  it("is one of eight at most: the ninth search waits until one of them ends", async () => {
    await using alone = new SearchPool(log.dataDir, 1);
    const { signal } = new AbortController();
    const idle = Array.from({ length: 8 }, () =>
      alone.search(requestOf({ query: "request", deadlineMs: 1_500 }), signal),
    );
    const ninth = textOf(alone.search(requestOf({ limit: 5 }), signal));
    const ended = Promise.race(idle.map(({ summary }) => summary.catch(() => "an idle one")));
    expect(await Promise.race([ninth.then(() => "the ninth"), ended])).toBe("an idle one");
    expect(rowsOf(await ninth)).toHaveLength(5);
  });
});

describe("a pool that is closed", () => {
  it("ends what runs, what waits and what comes later", async () => {
    const closing = new SearchPool(log.dataDir, 1);
    const { signal } = new AbortController();
    const running = closing.search(requestOf({ query: RUNAWAY }), signal);
    const waiting = closing.search(requestOf({}), signal);
    await closing[Symbol.asyncDispose]();
    const late = closing.search(requestOf({}), signal);
    for (const run of [running, waiting, late]) {
      expect((await failureOf(run)).code).toBe("cancelled");
    }
  });

  it("fails a search whose file cannot be opened", async () => {
    await using nowhere = new SearchPool(`${log.dataDir}.gone`);
    const run = nowhere.search(requestOf({}), new AbortController().signal);
    const error = await failureOf(run);
    expect(error.code).toBe("failed");
    expect(error.message).toContain("no collected data");
  });
});
