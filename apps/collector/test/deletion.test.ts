import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SearchError, openStoreReader, type StoreReader } from "@sluice/store";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { formatPreview, formatReport } from "../src/commands/delete.ts";
import { answerDelete, readDeleteRequest } from "../src/deletion/delete-request.ts";
import { DeletionDesk } from "../src/deletion/deletion-desk.ts";
import { run } from "./command.ts";
import { FilledStore } from "./filled-store.ts";
import { NOW_US } from "./fake-store.ts";

// It starts processes, and a machine may be busy.
vi.setConfig({ testTimeout: 60_000 });

const TIME_US = Date.UTC(2026, 10, 24) * 1000;

let dataDir: string;

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), "sluice-deletion-"));
});

afterEach(() => rmSync(dataDir, { recursive: true }));

function lines(...bodies: readonly string[]) {
  return bodies.map((body, i) => ({ body, timeUs: TIME_US + i }));
}

function deskOn({ store }: FilledStore, reader: StoreReader, clock = { nowMs: 0 }): DeletionDesk {
  return new DeletionDesk({
    reader,
    closeReceipts: () => store.closeReceipts(),
    carryOut: async (order) => {
      await store.delete(order);
      await store.removeDeleted();
      return { isGone: true };
    },
    nowMs: () => clock.nowMs,
  });
}

const signal = new AbortController().signal;

test("a preview says how many lines, bytes and streams, and what goes is just that", async () => {
  await using filled = await FilledStore.open(dataDir, ["/log/a", "/log/b"]);
  await using reader = openStoreReader(dataDir);
  await filled.write(lines("secret one", "keep", "secret two"), 0);
  await filled.write(lines("secret three"), 1);
  const desk = deskOn(filled, reader);
  const preview = await desk.preview({ query: "secret" }, signal);
  expect(preview).toMatchObject({
    query: "secret",
    since: null,
    lines: 3,
    bytes: "secret one\nsecret two\nsecret three\n".length,
    streamCount: 2,
    streams: [
      { host: "web-1", source: "/log/a", lines: 2 },
      { host: "web-1", source: "/log/b", lines: 1 },
    ],
  });
  expect(preview.examples).toHaveLength(3);
  await filled.write(lines("secret of later"), 1);
  expect(await desk.delete({ confirm: preview.confirm, wait: true })).toMatchObject({
    lines: preview.lines,
    bytes: preview.bytes,
    isGone: true,
  });
  expect(reader.stats().records).toBe(2);
  expect(reader.jobs().find(({ kind }) => kind === "delete")).toMatchObject({
    outcome: { records: preview.lines },
    detail: "secret",
  });
  expect((await desk.preview({ query: "secret" }, signal)).examples).toMatchObject([
    { body: "secret of later" },
  ]);
});

test("a preview shows the ten newest of many, oldest first, within its range", async () => {
  await using filled = await FilledStore.open(dataDir);
  await using reader = openStoreReader(dataDir);
  await filled.write(lines(...Array.from({ length: 30 }, (_, i) => `line ${i}`)));
  const desk = deskOn(filled, reader);
  const preview = await desk.preview({ query: "*", untilUs: TIME_US + 25 }, signal);
  expect(preview).toMatchObject({ lines: 25, until: "2026-11-24T00:00:00.000025Z" });
  expect(preview.examples.map(({ body }) => body)).toEqual(
    Array.from({ length: 10 }, (_, i) => `line ${i + 15}`),
  );
});

test("a confirmation counts once, for a quarter of an hour", async () => {
  await using filled = await FilledStore.open(dataDir);
  await using reader = openStoreReader(dataDir);
  await filled.write(lines("one"));
  const clock = { nowMs: 0 };
  const desk = deskOn(filled, reader, clock);
  const late = await desk.preview({ query: "*" }, signal);
  clock.nowMs = 16 * 60_000;
  const unknown = "no longer known";
  await expect(desk.delete({ confirm: late.confirm, wait: false })).rejects.toThrow(unknown);
  const { confirm } = await desk.preview({ query: "*" }, signal);
  await desk.delete({ confirm, wait: false });
  await expect(desk.delete({ confirm, wait: false })).rejects.toThrow(unknown);
});

test("a filter that cannot be read, or has stages, deletes nothing", async () => {
  await using filled = await FilledStore.open(dataDir);
  await using reader = openStoreReader(dataDir);
  const desk = deskOn(filled, reader);
  await expect(desk.preview({ query: "/(/" }, signal)).rejects.toBeInstanceOf(SearchError);
  await expect(desk.preview({ query: "a | limit 1" }, signal)).rejects.toThrow("a filter alone");
});

test("a request that was never looked at is looked at first", async () => {
  await using filled = await FilledStore.open(dataDir);
  await using reader = openStoreReader(dataDir);
  await filled.write(lines("secret", "keep"));
  const desk = deskOn(filled, reader);
  const request = readDeleteRequest({ query: "secret", wait: true }, NOW_US);
  if (!request.ok) {
    throw new Error(request.error.message);
  }
  expect(await answerDelete(desk, request.value, signal)).toMatchObject({ lines: 1 });
  expect(reader.stats().records).toBe(1);
});

test.each([
  [{ query: "" }, "parameter-invalid"],
  [{}, "parameter-invalid"],
  [{ query: "*", more: 1 }, "parameter-invalid"],
  [{ query: "a", since: "soon" }, "parameter-invalid"],
  [{ query: "a | limit 1" }, "parameter-invalid"],
  [{ query: "(a" }, "query-invalid"],
  [undefined, "parameter-invalid"],
])("a delete request of %j is refused", (body, code) => {
  const request = readDeleteRequest(body, NOW_US);
  expect(request).toMatchObject({ ok: false, error: { code } });
});

test("sluice delete asks, and without a terminal only --yes deletes", async () => {
  {
    await using filled = await FilledStore.open(dataDir);
    await filled.write(lines("secret \u001b[31m", "keep"));
  }
  const onFolder = ["--data", dataDir];
  const unasked = await run("delete", "secret", ...onFolder);
  expect(unasked).toMatchObject({ code: 2 });
  expect(unasked.stderr).toContain("no terminal to ask on");
  const everything = await run("delete", ...onFolder);
  expect(everything).toMatchObject({ code: 2 });
  expect(everything.stderr).toContain("this would delete everything");
  expect((await run("delete", "a | limit 1", "--yes", ...onFolder)).code).toBe(2);
  expect((await run("delete", "nothing", "--yes", ...onFolder)).code).toBe(1);
  const dry = await run("delete", "secret", "--dry-run", "--json", ...onFolder);
  expect(JSON.parse(dry.stdout.toString())).toMatchObject({ lines: 1 });
  const done = await run("delete", "secret", "--yes", "--json", ...onFolder);
  expect(done).toMatchObject({ code: 0 });
  expect(JSON.parse(done.stdout.toString())).toMatchObject({ lines: 1, isGone: true });
  expect((await run("query", "secret", ...onFolder)).code).toBe(1);
  expect((await run("query", "keep", ...onFolder)).code).toBe(0);
  const all = await run("delete", "--yes", ...onFolder);
  expect(all.stderr).toContain("deleting EVERYTHING that is stored: 1 line");
  expect(all.stdout.toString()).toContain("Deleted 1 line; they are gone from the files");
});

test("sluice delete does not work behind a collector's back", async () => {
  await using filled = await FilledStore.open(dataDir);
  await filled.write(lines("secret"));
  const refused = await run("delete", "secret", "--yes", "--data", dataDir);
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain("leave out --data to have the collector do it");
});

test("a preview reads as a sentence and a table", () => {
  const preview = {
    query: "level:debug",
    since: null,
    until: null,
    lines: 1_234,
    bytes: 567_000,
    streamCount: 12,
    streams: [{ host: "web-1", source: "/var/log/\u001bapp.log", lines: 1_200 }],
    examples: [],
    confirm: "",
  };
  expect(formatPreview(preview, false)).toMatchInlineSnapshot(`
    "1,234 lines, 567 kB, of 12 streams:

    HOST   SOURCE                LINES
    web-1  /var/log/\\x1bapp.log  1,200
    and 11 more
    "
  `);
});

test.each([
  [false, "no query finds them any more"],
  [true, "they are gone from the files, in 3s"],
])("a delete whose lines are gone from the files: %s", (isGone, text) => {
  const report = { query: "a", lines: 7, bytes: 9, isGone, tookMs: 3_000 };
  expect(formatReport(report)).toContain(text);
});
