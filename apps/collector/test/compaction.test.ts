import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openStoreReader } from "@sluice/store";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { formatCompact } from "../src/commands/compact.ts";
import { compactNow } from "../src/compaction/compact-report.ts";
import { run } from "./command.ts";
import { FilledStore } from "./filled-store.ts";

// It starts processes, and a machine may be busy.
vi.setConfig({ testTimeout: 60_000 });

const LINES = [{ body: "one", timeUs: Date.UTC(2026, 10, 24) * 1000 }];

let dataDir: string;

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), "sluice-compaction-"));
});

afterEach(() => rmSync(dataDir, { recursive: true }));

test("a compaction leaves nothing in the head, and says what it changed", async () => {
  await using filled = await FilledStore.open(dataDir);
  await using reader = openStoreReader(dataDir);
  await filled.write(LINES);
  await filled.write(LINES);
  const { before, after } = await compactNow(filled.store, reader);
  expect(before).toMatchObject({ batches: 2, segments: 0, blocks: 0 });
  expect(after).toMatchObject({ batches: 0, segments: 1, blocks: 1 });
  expect((await compactNow(filled.store, reader)).before).toEqual(after);
});

test("a compaction ends while lines go on arriving", async () => {
  await using filled = await FilledStore.open(dataDir);
  await using reader = openStoreReader(dataDir);
  await filled.write(LINES);
  const over = new AbortController();
  const compacting = compactNow(filled.store, reader).finally(() => over.abort());
  let written = 1;
  while (!over.signal.aborted) {
    await filled.write(LINES);
    written += 1;
  }
  await compacting;
  expect(reader.stats()).toMatchObject({ records: written });
  expect(reader.stats().segments).toBeGreaterThan(0);
});

test("sluice compact works on a folder, and not behind a collector's back", async () => {
  {
    await using filled = await FilledStore.open(dataDir);
    await filled.write(LINES);
    const refused = await run("compact", "--data", dataDir);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain("leave out --data to have the collector do it");
  }
  const { code, stdout } = await run("compact", "--data", dataDir, "--json");
  expect(code).toBe(0);
  expect(JSON.parse(stdout.toString())).toMatchObject({
    before: { batches: 1, segments: 0 },
    after: { batches: 0, segments: 1 },
  });
});

test("the report is a table of before and after", () => {
  const before = { batches: 1204, segments: 14, blocks: 350, payloadBytes: 45e6, diskBytes: 91e6 };
  const after = { batches: 0, segments: 3, blocks: 340, payloadBytes: 33e6, diskBytes: 34e6 };
  expect(formatCompact({ before, after, tookMs: 4200 }, false)).toMatchInlineSnapshot(`
    "STORED               BEFORE  AFTER
    batches in the head   1,204      0
    segments                 14      3
    blocks                  350    340
    records, compressed   45 MB  33 MB
    on disk               91 MB  34 MB

    Compacted in 4.2s.
    "
  `);
  expect(formatCompact({ before: after, after, tookMs: 3 }, false)).toContain(
    "Nothing was left to compact.",
  );
});
