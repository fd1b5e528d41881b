import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Store } from "@sluice/store";
import { expect, test } from "vitest";

import { decideInThread } from "../src/retention/retention-decider.ts";
import { NOW_US, policy } from "./fake-store.ts";

test("the thread decides about a real folder, beside its writer", async () => {
  const dataDir = mkdtempSync(join(tmpdir(), "sluice-decider-"));
  try {
    await using store = await Store.open(dataDir, {
      committed: () => undefined,
      failed: () => undefined,
      full: () => undefined,
      noticed: () => undefined,
    });
    expect(store.storeId).toMatch(/^[0-9a-f-]{36}$/);
    const question = { dataDir, policy: policy({ keep: "1d" }), suspension: undefined };
    const decision = await decideInThread({ ...question, nowUs: NOW_US });
    expect(decision).toMatchObject({ batchIds: [], segmentIds: [], segmentParts: [] });
    expect(decision.cutoffs).toEqual({ default: NOW_US - 86_400_000_000 });
    expect(decision.report.totalBytes).toBeGreaterThan(0);
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
});

test("a folder without data is the answer's error", async () => {
  const question = { policy: policy({}), suspension: undefined, nowUs: NOW_US };
  await expect(decideInThread({ ...question, dataDir: "/nonexistent" })).rejects.toThrow(
    "there is no collected data here",
  );
});
