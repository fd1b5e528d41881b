import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { SearchError } from "../../src/search/search-error.ts";
import type { Row } from "../../src/search/search-request.ts";
import { PAGE_BYTES, PAGE_ROWS } from "../../src/search/time-merge.ts";
import { rowsOf, StoredLog } from "../stored-log.ts";

const SYSLOG = { agentId: "a-1", host: "web-1", source: "/var/log/syslog", generation: 1 };
const AUTH = { ...SYSLOG, source: "/var/log/auth.log", labels: { env: "prod" } };
const REMOTE = { ...SYSLOG, agentId: "a-2", host: "web-2" };

let log: StoredLog;

beforeAll(() => {
  log = new StoredLog();
});

beforeEach(() => {
  log.clear();
});

afterAll(() => log[Symbol.dispose]());

function table(query: string): unknown[] {
  return rowsOf(log.search({ query }).text);
}

function errorOf(search: () => unknown): string {
  try {
    search();
  } catch (error) {
    if (error instanceof SearchError) {
      return error.message;
    }
    throw error;
  }
  throw new Error("the search ended well");
}

describe("a row", () => {
  it("says everything that is known of its record", () => {
    const timeUs = 1_795_300_000_123_456;
    const attributes = { unit: "nginx.service" };
    log.append(AUTH, [{ body: "in", timeUs, severity: 9, attributes }], timeUs + 1);
    expect(rowsOf<Row>(log.search({}).text)).toEqual([
      {
        time: "2026-11-21T22:26:40.123456Z",
        received: "2026-11-21T22:26:40.123457Z",
        host: "web-1",
        source: "/var/log/auth.log",
        level: "info",
        severity: 9,
        id: log.records[0]?.id,
        seq: 0,
        body: "in",
        attributes,
      },
    ]);
  });

  it("carries a body that is not UTF-8 as base64", () => {
    const body = Uint8Array.of(0xff, 0x00, 0x41);
    log.append(SYSLOG, [{ body }, { body: "text" }]);
    expect(rowsOf<Row>(log.search({}).text)).toMatchObject([
      { bodyBase64: "/wBB" },
      { body: "text" },
    ]);
  });
});

describe("bodies alone", () => {
  it("are the lines of their file byte for byte, those with an LF inside included", () => {
    const bodies = ["one", "two\nlines", "", "\r", "caf\u00e9"];
    log.append(
      SYSLOG,
      bodies.slice(0, 2).map((body) => ({ body })),
    );
    log.append(
      SYSLOG,
      bodies.slice(2).map((body) => ({ body })),
    );
    const { text } = log.search({ order: "stream", render: "bodies" });
    expect(text).toBe(bodies.map((body) => `${body}\n`).join(""));
  });

  it("leave out what does not match, and come in the order asked for", () => {
    log.append(SYSLOG, [
      { body: "first keep", timeUs: 3 },
      { body: "drop", timeUs: 2 },
      { body: "second keep", timeUs: 1 },
    ]);
    const { text } = log.search({ query: "keep", render: "bodies" });
    expect(text).toBe("second keep\nfirst keep\n");
  });
});

describe("a damaged batch", () => {
  it("is counted once, and the others are returned, page after page", () => {
    log.append(SYSLOG, [{ body: "before", timeUs: 1 }]);
    const damaged = log.append(SYSLOG, [
      { body: "lost", timeUs: 1 },
      { body: "lost", timeUs: 9 },
    ]);
    log.append(
      SYSLOG,
      Array.from({ length: PAGE_ROWS + 1 }, () => ({ body: "after", timeUs: 5 })),
    );
    log.db.prepare("UPDATE batches SET payload = x'00' WHERE id = ?").run(damaged);
    const { text, summary } = log.search({});
    const bodies = rowsOf<Row>(text).map(({ body }) => body);
    expect(bodies.length).toBe(PAGE_ROWS + 2);
    expect(bodies).not.toContain("lost");
    expect(summary).toMatchObject({
      rows: PAGE_ROWS + 2,
      damaged: 1,
      blocksRead: 3,
      blocksTotal: 3,
    });
  });

  it("is counted also where its header no longer fits its payload", () => {
    log.append(SYSLOG, [{ body: "a" }, { body: "b" }]);
    log.db.exec("UPDATE batches SET count = 3");
    expect(log.search({}).summary).toMatchObject({ rows: 0, damaged: 1 });
  });
});

describe("what a search must read", () => {
  it("is the newest batches alone, newest first under a limit", () => {
    for (let i = 0; i < 20; i++) {
      log.append(SYSLOG, [
        { body: "x", timeUs: i * 10 },
        { body: "x", timeUs: i * 10 + 5 },
      ]);
    }
    const { summary } = log.search({ reverse: true, limit: 3 });
    expect(summary).toMatchObject({ rows: 3, blocksRead: 2, blocksTotal: 20 });
  });

  it("is nothing of streams and times that cannot match", () => {
    log.append(SYSLOG, [{ body: "x", timeUs: 10 }]);
    log.append(REMOTE, [{ body: "x", timeUs: 10 }]);
    log.append(SYSLOG, [{ body: "x", timeUs: 99 }]);
    const { summary } = log.search({ query: "host:web-1", untilUs: 50 });
    expect(summary).toMatchObject({ rows: 1, blocksRead: 1, blocksTotal: 1 });
    expect(summary.plan).toMatchObject({ streamsTotal: 2, streamsLeft: 1, blocksInTimeRange: 1 });
  });
});

describe("an answer larger than a page", () => {
  it("is whole and in order where many batches overlap in time", () => {
    // More of them than a page may pin, so that rows are copied out of their blocks.
    for (let batch = 0; batch < 50; batch++) {
      const records = Array.from({ length: 200 }, (_, i) => ({
        body: `line ${batch} ${i}`,
        timeUs: i * 50 + ((batch * 7) % 50),
      }));
      log.append(batch % 2 === 0 ? SYSLOG : REMOTE, records);
    }
    for (const reverse of [false, true]) {
      const sorted = log.records.toSorted(
        (a, b) => a.timeUs - b.timeUs || a.streamId - b.streamId || a.seq - b.seq,
      );
      const expected = (reverse ? sorted.toReversed() : sorted).map(({ body }) => body);
      const rows = rowsOf<Row>(log.search({ reverse }).text);
      expect(rows.map(({ body }) => body)).toEqual(expected);
      const bodies = log.search({ reverse, render: "bodies" }).text;
      expect(bodies).toBe(expected.map((body) => `${String(body)}\n`).join(""));
    }
  });

  it("leaves in pages of few bytes where lines are long", () => {
    const body = "x".repeat(250_000);
    for (let batch = 0; batch < 15; batch++) {
      const records = [0, 1, 2, 3].map((i) => ({ body: `${batch * 4 + i} ${body}`, timeUs: i }));
      log.append(SYSLOG, records);
    }
    const pages = [...log.pages({ render: "bodies" })];
    expect(Math.max(...pages.map(({ length }) => length))).toBeLessThan(PAGE_BYTES + 300_000);
    const order = pages
      .join("")
      .split("\n")
      .slice(0, -1)
      .map((line) => Number(line.split(" ")[0]));
    const expected = [0, 1, 2, 3].flatMap((i) =>
      Array.from({ length: 15 }, (_, batch) => batch * 4 + i),
    );
    expect(order).toEqual(expected);
  });
});

describe("a page behind a row", () => {
  it("is refused where the row is no row's id", () => {
    expect(errorOf(() => log.search({ afterId: "first" }))).toContain("not the id of a record");
  });

  it.each(["time", "stream"] as const)(
    "is refused by %s where the row was never there",
    (order) => {
      log.append(SYSLOG, [{ body: "x" }]);
      expect(errorOf(() => log.search({ order, afterId: "99-0" }))).toMatch(/99-0/);
    },
  );

  it("is empty behind the last row", () => {
    log.append(SYSLOG, [{ body: "x" }]);
    const [last] = log.records;
    expect(log.ids({ afterId: last?.id })).toEqual([]);
  });
});

describe("the stages of a query", () => {
  beforeEach(() => {
    log.append(SYSLOG, [
      { body: "status=200 ms=7", timeUs: 1_000_000, severity: 9, attributes: { unit: "nginx" } },
      { body: "status=500 ms=90", timeUs: 61_000_000, severity: 17, attributes: { unit: "nginx" } },
    ]);
    log.append(AUTH, [{ body: "status=500 ms=30", timeUs: 62_000_000, severity: 17 }]);
    log.append(REMOTE, [
      { body: "status=200 ms=9007199254740993", timeUs: 2_000_000, severity: 9 },
    ]);
  });

  it("count by the fields of a row, of labels, attributes and bodies", () => {
    expect(table("* | stats count() by host")).toEqual([
      { host: "web-1", count: 3 },
      { host: "web-2", count: 1 },
    ]);
    expect(table("* | stats count() by unit")).toEqual([
      { unit: "nginx", count: 2 },
      { unit: null, count: 2 },
    ]);
    expect(table("* | stats count() by env")).toContainEqual({ env: "prod", count: 1 });
    expect(table("* | stats count() by level, status")).toEqual([
      { level: "error", status: "500", count: 2 },
      { level: "info", status: "200", count: 2 },
    ]);
  });

  it("print times as rows do, and integers that a JSON number would round as text", () => {
    expect(table("host:web-1 | stats count() by 1m")).toEqual([
      { time: "1970-01-01T00:00:00.000000Z", count: 1 },
      { time: "1970-01-01T00:01:00.000000Z", count: 2 },
    ]);
    expect(table("* | stats min(ms), max(ms)")).toEqual([
      { "min(ms)": 7, "max(ms)": "9007199254740993" },
    ]);
  });

  it("name one row where nothing matches a count of everything", () => {
    expect(table("zebra | stats count()")).toEqual([{ count: 0 }]);
  });

  it("pick fields in the order of the search", () => {
    const { text } = log.search({ query: "* | fields time, source, severity, ms", reverse: true });
    expect(text.split("\n")[0]).toBe(
      '{"time":"1970-01-01T00:01:02.000000Z","source":"/var/log/auth.log","severity":17,"ms":"30"}',
    );
  });

  it("sort whole rows, which stay what they were", () => {
    const rows = rowsOf<Row>(log.search({ query: "* | sort ms desc | limit 2" }).text);
    const all = rowsOf<Row>(log.search({}).text);
    expect(rows.map(({ body }) => body)).toEqual([
      "status=200 ms=9007199254740993",
      "status=500 ms=90",
    ]);
    for (const row of rows) {
      expect(all).toContainEqual(row);
    }
    const { text } = log.search({ query: "* | sort ms desc | limit 1", render: "bodies" });
    expect(text).toBe("status=200 ms=9007199254740993\n");
  });

  it("count all matches, and give out no more rows than the limit", () => {
    const { text, summary } = log.search({ query: "* | stats count() by body", limit: 2 });
    expect(rowsOf(text)).toHaveLength(2);
    expect(summary).toMatchObject({ rows: 2, blocksRead: 3 });
    expect(table("* | limit 3 | stats count()")).toEqual([{ count: 3 }]);
  });

  it("show whole records behind a limit", () => {
    log.append(SYSLOG, [{ body: "first", attributes: { unit: "a" } }, { body: "second" }]);
    const rows = rowsOf<Row>(log.search({ query: "* | limit 1" }).text);
    expect(rows).toMatchObject([{ body: "first", attributes: { unit: "a" } }]);
  });

  it("read no further than a limit in front of them needs", () => {
    for (let i = 0; i < 10; i++) {
      log.append(SYSLOG, [{ body: "newer", timeUs: 100_000_000 + i }]);
    }
    const { summary } = log.search({ query: "* | limit 2 | fields host", reverse: true });
    expect(summary).toMatchObject({ rows: 2, blocksRead: 2 });
    const limited = log.search({ query: "* | fields host", reverse: true, limit: 2 });
    expect(limited.summary).toMatchObject({ rows: 2, blocksRead: 2 });
  });

  it("are refused where they would have to hold too much", () => {
    for (let batch = 0; batch < 2; batch++) {
      const records = Array.from({ length: 50_001 }, (_, i) => ({
        body: `id=${batch * 60_000 + i}`,
      }));
      log.append(SYSLOG, records);
    }
    expect(errorOf(() => table("* | stats count() by id"))).toMatch(
      /more than 100000 groups.*narrow/,
    );
  });

  it("have no page behind a row", () => {
    const afterId = log.records[0]?.id;
    expect(errorOf(() => log.search({ query: "* | fields host", afterId }))).toContain("stages");
  });
});
