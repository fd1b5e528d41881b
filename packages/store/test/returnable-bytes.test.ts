import { randomBytes } from "node:crypto";
import { retentionPolicySchema } from "@sluice/retention";
import { expect, test } from "vitest";

import { openStoreReader } from "../src/head-reader.ts";
import { Lease } from "../src/manifest/lease.ts";
import { Store } from "../src/store.ts";
import { Folder } from "./folder.ts";
import { linesFrame, messageOf } from "./frames.ts";

const VISIBILITY = {
  policy: retentionPolicySchema.parse({ keep: "forever", min_free: "0B" }),
  cutoffs: {},
};
const JOB = { dueUs: 1, startedUs: 2, detail: "for the test" };

/** Random text of 100 kB, of which compression leaves three quarters. */
const LINE = randomBytes(75_000).toString("base64");

async function storeWithOneBatch(folder: Folder, stored: PromiseWithResolvers<void>) {
  const store = await Store.open(folder.path, {
    committed: () => stored.resolve(),
    failed: (error) => stored.reject(error),
    full: () => undefined,
    noticed: () => undefined,
  });
  const agent = { agentId: "a-1", host: "web-1", version: "1", labels: {} };
  const introduced = await store.introduce(agent);
  const opening = { stream: 0, source: "/log", generation: 0, labels: {} };
  const [opened] = await store.openStreams(1, introduced.agent, "web-1", [
    { ...opening, initialCursor: new Uint8Array() },
  ]);
  const place = { epoch: opened?.epoch ?? 1, ordinal: 0, firstSeq: 0 };
  store.append(1, messageOf(linesFrame(place, LINE)));
  await stored.promise;
  return store;
}

test.each(["head", "segment"] as const)(
  "what was removed from the %s counts as returnable while somebody reads it, and not when it is gone",
  async (where) => {
    using folder = new Folder();
    await using store = await storeWithOneBatch(folder, Promise.withResolvers());
    if (where === "segment") {
      await store.compact();
    }
    await using reader = openStoreReader(folder.path);
    expect(reader.returnableBytes).toBe(0);
    const ids = reader.parts().map(({ place }) => place);
    const order = {
      visibility: VISIBILITY,
      batchIds: ids.flatMap((place) => (place.kind === "batch" ? [place.batch] : [])),
      segmentIds: ids.flatMap((place) => (place.kind === "segment" ? [place.segment] : [])),
      segmentParts: [],
      job: JOB,
    };
    const lease = Lease.take(folder.path, 0, Date.now() + 60_000);
    await store.prune(order);
    expect(reader.parts()).toEqual([]);
    expect(reader.returnableBytes).toBeGreaterThan(75_000);
    lease[Symbol.dispose]();
    await store.prune({ ...order, batchIds: [], segmentIds: [] });
    expect(reader.returnableBytes).toBe(0);
  },
);
