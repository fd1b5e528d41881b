import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { openStoreReader } from "../src/head-reader.ts";
import type { SearchRequest, SearchSummary } from "../src/search/search-request.ts";
import { Store } from "../src/store.ts";
import type { StoreReader } from "../src/store-reader.ts";
import { Folder } from "./folder.ts";
import { batchFrame, messageOf } from "./frames.ts";
import { requestOf, rowsOf } from "./stored-log.ts";

const AGENT = { agentId: "a-1", host: "web-1", version: "1.0.0", labels: {} };
const STREAMS = 3;
const BATCHES = 90;
const BATCH_ROWS = 40;
/** Each of them on its way at the same time. */
const SEARCHES = 4;

let folder: Folder;
let store: Store;
let reader: StoreReader;
const complaints: string[] = [];

/** What was committed, in the order of batch ids. */
const committed: string[][] = [];

beforeEach(async () => {
  folder = new Folder();
  complaints.length = 0;
  committed.length = 0;
  store = await Store.open(folder.path, {
    committed: ({ frames }) => {
      for (const { connection, outcome } of frames) {
        if (outcome.kind === "accepted" && outcome.batchId !== undefined) {
          const firstSeq = outcome.position.nextSeq - BATCH_ROWS;
          committed[outcome.batchId] = bodiesOf(connection, firstSeq);
        }
      }
    },
    failed: (error) => complaints.push(error.message),
    noticed: (notice) => complaints.push(JSON.stringify(notice)),
    full: () => complaints.push("full"),
  });
  reader = openStoreReader(folder.path);
});

afterEach(async () => {
  await reader[Symbol.asyncDispose]();
  await store[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

function bodiesOf(stream: number, firstSeq: number): string[] {
  return Array.from({ length: BATCH_ROWS }, (_, i) => `stream ${stream} record ${firstSeq + i}`);
}

async function ask(
  request: Partial<SearchRequest>,
): Promise<{ bodies: string[]; summary: SearchSummary }> {
  const run = reader.search(requestOf(request), new AbortController().signal);
  let text = "";
  for await (const chunk of run) {
    text += Buffer.from(chunk).toString();
  }
  const bodies = rowsOf<{ body: string }>(text).map(({ body }) => body);
  return { bodies, summary: await run.summary };
}

/** All that had come by then. */
function stored(highWater: number): string[] {
  return committed
    .slice(0, highWater + 1)
    .flat()
    .toSorted();
}

describe("searches, while logs come in and are compacted and merged", () => {
  it("each see one moment: all batches up to one, each once", { timeout: 60_000 }, async () => {
    const { agent } = await store.introduce(AGENT);
    for (let stream = 0; stream < STREAMS; stream++) {
      const opening = { source: `/log/${stream}`, generation: 1, labels: {} };
      const initialCursor = Buffer.alloc(0);
      await store.openStreams(stream, agent, AGENT.host, [
        { stream: 0, ...opening, initialCursor },
      ]);
    }
    const done = new AbortController();
    const searching = Array.from({ length: SEARCHES }, async (_, at) => {
      let rounds = 0;
      while (!done.signal.aborted || rounds === 0) {
        rounds += 1;
        if (at % 2 === 0) {
          const { bodies, summary } = await ask({ order: at === 0 ? "time" : "stream" });
          expect(bodies.toSorted()).toEqual(stored(summary.highWater));
        } else {
          // Page by page, in what the first one saw.
          const seen: string[] = [];
          let page: string | undefined;
          let highWater: number | undefined;
          do {
            const { bodies, summary } = await ask({ limit: 500, page, reverse: at === 1 });
            highWater ??= summary.highWater;
            expect(summary).toMatchObject({ highWater, damaged: 0 });
            seen.push(...bodies);
            page = summary.nextPage;
          } while (page !== undefined);
          expect(seen.toSorted()).toEqual(stored(highWater));
        }
      }
      return rounds;
    });
    const compacting = (async () => {
      while (!done.signal.aborted) {
        await store.compact();
      }
    })();
    for (let batch = 0; batch < BATCHES; batch++) {
      const stream = batch % STREAMS;
      const ordinal = Math.floor(batch / STREAMS);
      const firstSeq = ordinal * BATCH_ROWS;
      const records = bodiesOf(stream, firstSeq).map((body, i) => ({
        body,
        timeUs: (batch * 7 + i * 3) % 50,
      }));
      store.append(stream, messageOf(batchFrame({ epoch: 1, ordinal, firstSeq }, records)));
      // As agents do, a little at a time.
      while (committed.length < batch + 2) {
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
    done.abort();
    const rounds = await Promise.all(searching);
    await compacting;
    await store.compact(); // what came in behind the last one
    expect(rounds.every((count) => count > 0)).toBe(true);
    expect((await ask({})).bodies).toHaveLength(BATCHES * BATCH_ROWS);
    expect(reader.stats()).toMatchObject({ batches: 0, records: BATCHES * BATCH_ROWS });
    expect(complaints).toEqual([]);
  });
});
