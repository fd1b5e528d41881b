import { rmSync, writeFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

import {
  BOOT,
  NO_JOURNALS,
  numbered,
  numberedMessages,
  TestJournal,
  TestReader,
} from "./journal-fixture.ts";

describe.skipIf(NO_JOURNALS !== undefined)(`a journal (${NO_JOURNALS ?? "real files"})`, () => {
  let journal: TestJournal;

  beforeEach(() => (journal = new TestJournal()));
  afterEach(() => journal[Symbol.dispose]());

  const follow = (options: Partial<Parameters<typeof TestReader.start>[0]> = {}) =>
    TestReader.start({ directory: journal.dir, ...options });

  test("long, binary and multi-line messages arrive whole (fault 24)", async () => {
    const messages = [
      Buffer.from("x".repeat(5 * 1024)),
      Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)),
      Buffer.from("Traceback:\n  one\n  two\n"),
      Buffer.from(""),
      Buffer.from("\n"),
      Buffer.from("y".repeat(200 * 1024)),
      Buffer.from("grün = \u2603"),
    ];
    journal.add(messages.map((MESSAGE) => ({ MESSAGE })));
    await using reader = await follow();
    await reader.untilCount(messages.length);
    expect(reader.entries.map(({ body }) => Buffer.from(body))).toEqual(messages);
    expect(reader.gaps).toEqual([]);
  });

  test("an entry's time, priority and origin come with it", async () => {
    journal.add([
      {
        MESSAGE: "hello",
        PRIORITY: "3",
        _SYSTEMD_UNIT: "ssh.service",
        SYSLOG_IDENTIFIER: "sshd",
        _PID: "42",
        _HOSTNAME: "db-1",
        CODE_FILE: "main.c",
      },
    ]);
    await using reader = await follow();
    await reader.untilCount(1);
    expect(reader.entries[0]).toMatchObject({
      timeUs: 1_700_000_000_001_000,
      priority: 3,
      attributes: {
        _SYSTEMD_UNIT: "ssh.service",
        SYSLOG_IDENTIFIER: "sshd",
        _PID: "42",
        _BOOT_ID: BOOT,
        _HOSTNAME: "db-1",
      },
    });
    expect(reader.entries[0]?.attributes).not.toHaveProperty("CODE_FILE");
  });

  test("nothing is lost over 50 rotations while it is followed (fault 21)", async () => {
    await using reader = await follow();
    for (let rotation = 0; rotation < 50; rotation++) {
      journal.add(numbered(3, journal.count));
      if (rotation % 10 === 9) await reader.untilCount(journal.count);
    }
    await reader.untilCount(150);
    expect(reader.messages).toEqual(numberedMessages(150));
    expect(reader.gaps).toEqual([]);
  }, 30_000);

  test("it has a backlog while more is there than is held, and none at its end", async () => {
    const MESSAGE = "x".repeat(64 * 1024);
    journal.add(Array.from({ length: 12 }, () => ({ MESSAGE })));
    await using reader = await follow();
    await reader.untilCount(1);
    await vi.waitFor(() => expect(reader.reader.hasBacklog).toBe(true));
    await reader.untilCount(12);
    await reader.reader.read(new AbortController().signal);
    expect(reader.reader.hasBacklog).toBe(false);
  });

  test("reading goes on behind a cursor, at the first entry of the file after a rotation too", async () => {
    journal.add(numbered(4));
    let cursor: Uint8Array;
    {
      await using before = await follow();
      await before.untilCount(4);
      cursor = before.cursor;
    }
    journal.add(numbered(4, 4));
    await using reader = await follow();
    await reader.reader.seek(cursor);
    await reader.untilCount(4);
    expect(reader.messages).toEqual(numberedMessages(4, 4));
  });

  test("entries of an earlier boot are read, though --follow alone would show the newest boot only", async () => {
    journal.add(numbered(3));
    journal.add(numbered(3, 3).map((entry) => ({ ...entry, _BOOT_ID: "b".repeat(32) })));
    await using reader = await follow();
    await reader.untilCount(6);
    expect(reader.messages).toEqual(numberedMessages(6));
  });

  describe("where to begin", () => {
    test.each([
      ["end", 2],
      ["beginning", 8],
      // The entries' clock stands in November 2023, a millisecond apart.
      [{ withinMs: 1_000 }, 5],
    ] as const)("%j gives the newest %i of 8", async (start, count) => {
      journal.add(numbered(6));
      const nowMs = 1_700_000_000_000 + 4 + 1_000;
      const clock = { wallMs: () => nowMs, monotonicMs: () => performance.now() };
      await using reader = await follow({ start, clock });
      journal.add(numbered(2, 6));
      await reader.untilCount(count);
      expect(reader.messages).toEqual(numberedMessages(count, 8 - count));
    });

    test("an empty journal is read from its first entry, whatever `start` says", async () => {
      await using reader = await follow({ start: "end" });
      journal.add(numbered(2));
      await reader.untilCount(2);
      expect(reader.messages).toEqual(numberedMessages(2));
    });

    test("it is settled once: a later start with another `start` keeps it", async () => {
      journal.add(numbered(2));
      const first = await follow({ start: "end" });
      const state: unknown = JSON.parse(JSON.stringify(first.source.snapshot()));
      await first[Symbol.asyncDispose]();
      journal.add(numbered(2, 2));
      await using reader = await follow({ start: "end", state });
      await reader.untilCount(2);
      expect(reader.messages).toEqual(numberedMessages(2, 2));
    });
  });

  describe("a cursor that the journal does not have (fault 20)", () => {
    test("because its entry was vacuumed is a gap, and reading goes on at the oldest entry", async () => {
      journal.add(numbered(2));
      let cursor: Uint8Array;
      {
        await using before = await follow();
        await before.untilCount(1);
        cursor = before.entries[0]?.cursor as Uint8Array;
      }
      journal.add(numbered(2, 2));
      journal.add(numbered(2, 4));
      journal.vacuum(1);
      await using reader = await follow();
      await reader.reader.seek(cursor);
      await reader.untilCount(2);
      expect(reader.outcomes[0]).toMatchObject({ kind: "gap", cause: "vacuumed" });
      expect(reader.messages).toEqual(numberedMessages(2, 4));
      expect(reader.gaps).toHaveLength(1);
      expect(reader.events).toContainEqual(
        expect.objectContaining({ kind: "journal-gap", cause: "vacuumed" }),
      );
    });

    test("is no gap where the first entry that is left is the next one", async () => {
      journal.add(numbered(2));
      let cursor: Uint8Array;
      {
        await using before = await follow();
        await before.untilCount(2);
        cursor = before.cursor;
      }
      journal.add(numbered(2, 2));
      journal.vacuum(1);
      await using reader = await follow();
      await reader.reader.seek(cursor);
      await reader.untilCount(2);
      expect(reader.messages).toEqual(numberedMessages(2, 2));
      expect(reader.gaps).toEqual([]);
    });

    test("behind the gap the stream stands still: a restart there finds no second one", async () => {
      journal.add(numbered(2));
      let cursor: Uint8Array;
      {
        await using before = await follow();
        await before.untilCount(1);
        cursor = before.entries[0]?.cursor as Uint8Array;
      }
      journal.add(numbered(2, 2));
      journal.vacuum(1);
      {
        await using atGap = await follow();
        await atGap.reader.seek(cursor);
        await atGap.until(() => atGap.gaps.length > 0);
        cursor = atGap.cursor;
      }
      await using reader = await follow();
      await reader.reader.seek(cursor);
      await reader.untilCount(2);
      expect(reader.messages).toEqual(numberedMessages(2, 2));
      expect(reader.gaps).toEqual([]);
    });

    const FOREIGN = `s=${"c".repeat(32)};i=9;b=${"d".repeat(32)};m=1;t=7fffffffffffff;x=1`;
    test.each([
      ["of another journal, later than all of this one", `J1 after ${FOREIGN}`],
      ["that journalctl refuses", "J1 after s=;i=1;t=1"],
      ["that is none", "rubbish"],
    ])("%s is a gap, and everything is read", async (_, text) => {
      journal.add(numbered(3));
      await using reader = await follow();
      await reader.reader.seek(Buffer.from(text));
      await reader.untilCount(3);
      expect(reader.outcomes[0]).toMatchObject({ kind: "gap", cause: "cursor_lost" });
      expect(reader.messages).toEqual(numberedMessages(3));
    });

    test("of a journal that is empty now is a gap, and what is written later is read", async () => {
      const path = journal.add(numbered(3));
      let cursor: Uint8Array;
      {
        await using before = await follow();
        await before.untilCount(3);
        cursor = before.cursor;
      }
      rmSync(path);
      await using reader = await follow();
      await reader.reader.seek(cursor);
      await reader.until(() => reader.gaps.length > 0);
      journal.add(numbered(2, 3));
      await reader.untilCount(2);
      expect(reader.messages).toEqual(numberedMessages(2, 3));
    });
  });

  test("vacuum under load: every entry arrives once and in order, or lies in a gap (fault 22)", async () => {
    const perFile = 300;
    const padding = "p".repeat(1_000);
    const files = 14;
    await using reader = await follow();
    let added = 0;
    const addFile = (): void => {
      const entries = Array.from({ length: perFile }, (_, index) => ({
        MESSAGE: `${added + index} ${padding}`,
      }));
      journal.add(entries);
      added += perFile;
    };
    for (let file = 0; file < 6; file++) addFile();
    await reader.untilCount(10);
    for (let file = 6; file < files; file++) {
      addFile();
      journal.vacuum(3);
      await reader.untilCount(reader.entries.length + 50);
    }
    const last = files * perFile - 1;
    await reader.until(() => numberOf(reader.messages.at(-1)) === last);
    const numbers = reader.messages.map(numberOf);
    const holes = numbers.filter((number, index) => number !== (numbers[index - 1] ?? -1) + 1);
    expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
    expect(new Set(numbers).size).toBe(numbers.length);
    expect(reader.gaps.length).toBe(holes.length);
    // What the run is worth: something was vacuumed that had not been read.
    expect(holes.length).toBeGreaterThan(0);
    expect(reader.gaps.every(({ cause }) => cause === "vacuumed")).toBe(true);
  }, 30_000);

  test("a folder that holds one writer's files of several has holes that are no gaps", async () => {
    journal.add(numbered(2));
    rmSync(journal.add(numbered(2, 2)));
    journal.add(numbered(2, 4));
    rmSync(journal.add(numbered(2, 6)));
    journal.add(numbered(2, 8));
    await using reader = await follow();
    await reader.untilCount(6);
    expect(reader.gaps).toEqual([]);
  });

  describe("filters", () => {
    const mixed = (count: number, from = 0) =>
      numbered(count, from).map((entry, index) => ({
        ...entry,
        _SYSTEMD_UNIT: index % 2 === 0 ? "a.service" : "b.service",
      }));

    test.each([
      [{ match: ["_SYSTEMD_UNIT=a.service"] }, ["line 0", "line 2"]],
      [
        { match: ["_SYSTEMD_UNIT=a.service", "+", "MESSAGE=line 3"] },
        ["line 0", "line 2", "line 3"],
      ],
      [{ units: ["b.service"] }, ["line 1", "line 3"]],
    ])("%j give %j", async (filter, expected) => {
      journal.add(mixed(4));
      await using reader = await follow(filter);
      await reader.untilCount(expected.length);
      expect(reader.messages).toEqual(expected);
      expect(reader.gaps).toEqual([]);
    });

    test("that change take effect behind the cursor, which need not match them", async () => {
      journal.add(mixed(4));
      let cursor: Uint8Array;
      {
        await using before = await follow({ match: ["_SYSTEMD_UNIT=b.service"] });
        await before.untilCount(1);
        cursor = before.entries[0]?.cursor as Uint8Array;
      }
      await using reader = await follow({ match: ["_SYSTEMD_UNIT=a.service"] });
      await reader.reader.seek(cursor);
      await reader.untilCount(1);
      expect(reader.messages).toEqual(["line 2"]);
      expect(reader.gaps).toEqual([]);
    });

    test("let a quiet stream move on, so that what is vacuumed behind it is no gap", async () => {
      journal.add(mixed(2));
      const filter = { match: ["_SYSTEMD_UNIT=a.service"] };
      let cursor: Uint8Array;
      {
        await using before = await follow({ ...filter, timing: { lookMs: 20 } });
        await before.untilCount(1);
        journal.add(numbered(2, 2));
        await before.until(() =>
          before.outcomes.some(
            (outcome) => outcome.kind === "passed" && Buffer.from(outcome.cursor).includes(";i=4;"),
          ),
        );
        cursor = before.cursor;
      }
      journal.add(numbered(1, 4));
      journal.add(mixed(1, 5));
      journal.vacuum(3);
      await using reader = await follow(filter);
      await reader.reader.seek(cursor);
      await reader.untilCount(1);
      expect(reader.messages).toEqual(["line 5"]);
      expect(reader.gaps).toEqual([]);
    });
  });

  test("a file that is damaged is a gap, and does not stop the others", async () => {
    journal.add(numbered(2));
    const damaged = journal.add(numbered(2, 2));
    journal.add(numbered(2, 4));
    writeFileSync(damaged, Buffer.alloc(4096));
    await using reader = await follow();
    await reader.untilCount(4);
    expect(reader.messages).toEqual(["line 0", "line 1", "line 4", "line 5"]);
    expect(reader.outcomes.map(({ kind }) => kind)).toEqual(["entries", "gap", "entries"]);
    expect(reader.gaps).toMatchObject([{ cause: "corrupt" }]);
  });
});

function numberOf(message: string | undefined): number {
  return Number(message?.split(" ")[0] ?? Number.NaN);
}
