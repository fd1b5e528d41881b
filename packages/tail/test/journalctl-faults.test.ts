import { setTimeout as delay } from "node:timers/promises";
import { afterEach, describe, expect, test } from "vitest";

import { JournalSource } from "../src/journal/journal-source.ts";
import type { TailEvent } from "../src/event.ts";
import {
  EAGER_JOURNAL_TIMING,
  exportOf,
  FakeJournalctl,
  numberedMessages,
  TestReader,
} from "./journal-fixture.ts";
import type { TestEntry } from "./journal-fixture.ts";

const NUMBERING = "5".repeat(32);

/** The cursor of the entry with this number, as journald makes them. */
function cursorOf(number: number): string {
  return `s=${NUMBERING};i=${number.toString(16)};b=${"a".repeat(32)};m=1;t=${timeOf(number).toString(16)};x=1`;
}

function timeOf(number: number): number {
  return 1_700_000_000_000_000 + number * 1_000;
}

/** Entries numbered from 1, "line 0" first. */
function printed(from: number, to: number): Buffer {
  const entries: TestEntry[] = [];
  for (let number = from; number <= to; number++) {
    entries.push({
      __CURSOR: cursorOf(number),
      __REALTIME_TIMESTAMP: String(timeOf(number)),
      MESSAGE: `line ${number - 1}`,
    });
  }
  return exportOf(entries);
}

let fake: FakeJournalctl | undefined;

afterEach(() => {
  fake?.[Symbol.dispose]();
  fake = undefined;
});

/**
 * A journalctl of a journal of four entries. It answers questions; asked to read on it does as
 * `reading` says, with `$from` for the number of the entry that its cursor names, and the files
 * `$dir/fromN` of the entries from N on.
 */
function fakeJournal(reading: string): FakeJournalctl {
  fake = new FakeJournalctl(`
    from=1
    cursor='--cursor=[^ ]*;i=([0-9a-f]+);'
    [[ "$*" =~ $cursor ]] && from=\${BASH_REMATCH[1]}
    if [[ -z $reads ]]; then
      case " $* " in
        *" --cursor="*) cat "$dir/entry$from" ;;
        *" --lines=1 "* | *" --since="*) cat "$dir/entry4" ;;
        *) cat "$dir/from1" ;;
      esac
      exit
    fi
    ${reading}
  `);
  fake.give("half", printed(1, 2));
  for (let number = 1; number <= 4; number++) {
    fake.give(`entry${number}`, printed(number, number));
    fake.give(`from${number}`, printed(number, 4));
  }
  return fake;
}

const HANG = "exec sleep 600";
const directory = "/nowhere";
const ALL = numberedMessages(4);

function failures(events: readonly TailEvent[]): (string | undefined)[] {
  return events.flatMap((event) => (event.kind === "journal-failed" ? [event.code] : []));
}

describe("a journalctl that hangs (fault 23)", () => {
  test("though the journal has newer entries is started again behind the last one", async () => {
    const calls = fakeJournal(`
      [[ $call -gt 1 ]] && { cat "$dir/from$from"; ${HANG}; }
      cat "$dir/half"; ${HANG}
    `);
    await using reader = await TestReader.start({ directory, timing: { lookMs: 30 } });
    await reader.untilCount(4);
    expect(reader.messages).toEqual(ALL);
    expect(failures(reader.events)).toEqual(["hung"]);
    expect(reader.events.at(-1)).toMatchObject({ kind: "journal-recovered" });
    expect(calls.reads).toBe(2);
  });

  test("in the middle of an entry is started again, and the entry comes once", async () => {
    fakeJournal(`
      [[ $call -gt 1 ]] && { cat "$dir/from$from"; ${HANG}; }
      head -c 500 "$dir/from1"; ${HANG}
    `);
    await using reader = await TestReader.start({ directory, timing: { lookMs: 30 } });
    await reader.untilCount(4);
    expect(reader.messages).toEqual(ALL);
    expect(failures(reader.events)).toEqual(["hung"]);
  });

  test("with nothing to say is let be", async () => {
    const calls = fakeJournal(`cat "$dir/from1"; ${HANG}`);
    await using reader = await TestReader.start({ directory, timing: { lookMs: 5, graceMs: 5 } });
    await reader.untilCount(4);
    const abort = AbortSignal.timeout(300);
    for (;;) {
      const outcome = await reader.reader.read(abort).catch(() => undefined);
      if (outcome?.kind !== "idle") break;
      await reader.reader.changed(abort).catch(() => undefined);
    }
    expect(calls.reads).toBe(1);
    expect(reader.events).toEqual([]);
  });

  test("when it is asked a question is given up, and asked again", async () => {
    fake = new FakeJournalctl(`
      [[ -n $reads || -e $dir/asked ]] || { touch "$dir/asked"; ${HANG}; }
      cat "$dir/from1"
      [[ -z $reads ]] || ${HANG}
    `);
    fake.give("from1", printed(1, 4));
    await using reader = await TestReader.start({ directory, timing: { answerMs: 200 } });
    await reader.untilCount(4);
    expect(reader.messages).toEqual(ALL);
    expect(failures(reader.events)).toEqual(["hung"]);
  });
});

describe("a journalctl that ends (fault 22)", () => {
  test.each([
    [
      "with an error",
      "echo 'Failed to iterate through journal: Bad message' >&2; exit 1",
      "failed",
    ],
    ["by itself, though it was to follow", "exit 0", "failed"],
    ["by a signal", "kill -9 $$", "failed"],
    [
      "in words that are none of the export format",
      String.raw`printf '\x00\x01\x02'; ${HANG}`,
      "garbled",
    ],
    [
      "its output in an entry without a cursor",
      String.raw`printf 'MESSAGE=x\n\n'; ${HANG}`,
      "garbled",
    ],
  ])("%s is started again behind the last entry", async (_, ending, code) => {
    fakeJournal(`
      [[ $call -gt 1 ]] && { cat "$dir/from$from"; ${HANG}; }
      cat "$dir/half"; ${ending}
    `);
    await using reader = await TestReader.start({ directory });
    await reader.untilCount(4);
    expect(reader.messages).toEqual(ALL);
    expect(reader.gaps).toEqual([]);
    expect(failures(reader.events)).toEqual([code]);
  });

  test("each time is started ever more slowly, which is told until it gets no slower", async () => {
    const calls = fakeJournal("exit 1");
    await using reader = await TestReader.start({ directory });
    await reader.until(() => calls.reads === 7);
    const waits = reader.events.map((event) =>
      event.kind === "journal-failed" ? event.retryInMs : undefined,
    );
    expect(waits).toEqual([5, 10, 20, 40]);
  });

  test("each time at the same damage passes it over, with a gap up to the next entry", async () => {
    fakeJournal(`
      [[ $from = 4 ]] && { cat "$dir/entry4"; ${HANG}; }
      [[ $from = 1 ]] && cat "$dir/half" || cat "$dir/entry$from"
      echo 'Failed to get data: Bad message' >&2; exit 1
    `);
    await using reader = await TestReader.start({ directory });
    await reader.untilCount(3);
    expect(reader.messages).toEqual(["line 0", "line 1", "line 3"]);
    expect(reader.gaps).toMatchObject([{ cause: "corrupt" }]);
  });
});

test("a journalctl that passes silently over files that are vacuumed while it reads leaves a gap", async () => {
  const calls = fakeJournal(`cat "$dir/half" "$dir/entry4"; ${HANG}`);
  calls.give("entry2", printed(4, 4)); // What takes the place of the second, which is gone.
  await using reader = await TestReader.start({ directory });
  await reader.untilCount(3);
  expect(reader.outcomes.map(({ kind }) => kind)).toEqual(["entries", "gap", "entries"]);
  expect(reader.gaps).toMatchObject([{ cause: "vacuumed" }]);
  expect(reader.messages).toEqual(["line 0", "line 1", "line 3"]);
  expect(reader.events.filter(({ kind }) => kind === "journal-failed")).toEqual([]);
});

test("output that comes in pieces of a few bytes gives the same entries", async () => {
  fakeJournal(`
    exec 3<"$dir/from1"
    while IFS= read -r -N 7 -u 3 piece; do printf %s "$piece"; done
    printf %s "$piece"; ${HANG}
  `);
  await using reader = await TestReader.start({ directory });
  await reader.untilCount(4);
  expect(reader.messages).toEqual(ALL);
});

test("journalctl is left to wait on its pipe while nobody reads", async () => {
  const calls = fakeJournal(`
    cat "$dir/from1"
    for i in {1..40}; do
      dd if="$dir/more" bs=100K skip=$((i - 1)) count=1 status=none
      echo $i >"$dir/written"
    done
    ${HANG}
  `);
  const entries = Array.from({ length: 400 }, (_, index) => ({
    __CURSOR: cursorOf(5 + index),
    __REALTIME_TIMESTAMP: String(timeOf(5 + index)),
    MESSAGE: `line ${4 + index} ${"f".repeat(10_000)}`,
  }));
  calls.give("more", exportOf(entries));
  await using reader = await TestReader.start({ directory });
  await reader.untilCount(1);
  const written = (): number => Number(calls.read("written") ?? 0);
  const restsAt = async (): Promise<number> => {
    for (let before = -1; ; await delay(100)) {
      if (written() === before) return before;
      before = written();
    }
  };
  // Of 4 MB only what the queue, a chunk and the pipes hold has left the process.
  expect(await restsAt()).toBeLessThan(10);
  expect(reader.reader.behindBytes).toBeLessThan(384 * 1024);
  await reader.untilCount(404);
  const lines = reader.messages.map((message) => message.replace(/ f+$/, ""));
  expect(lines).toEqual(numberedMessages(404));
});

test("the own machine's journal is read to its end first, and then followed from there", async () => {
  fake = new FakeJournalctl(`
    case " $* " in *" --merge "*) exit 9 ;; esac
    [[ -n $reads ]] || { cat "$dir/one"; exit; }
    case " $* " in
      *" --follow "*) cat "$dir/three"; ${HANG} ;;
      *) cat "$dir/two"; exit 0 ;;
    esac
  `);
  fake.give("one", printed(1, 1));
  fake.give("two", printed(1, 2));
  fake.give("three", printed(2, 4));
  // Questions are answered with the entry that they ask for.
  await using reader = await TestReader.start({});
  await reader.untilCount(2);
  fake.give("one", printed(2, 2));
  await reader.untilCount(4);
  expect(reader.messages).toEqual(ALL);
  expect(reader.events).toEqual([]);
  expect(reader.stream.source).toBe("journald");
});

test("a number that this machine's journal skips is a gap: it cannot be read, or was never written", async () => {
  const calls = fakeJournal(`
    case " $* " in *" --follow "*) cat "$dir/entry4"; ${HANG} ;; esac
    cat "$dir/holed"; exit 0
  `);
  calls.give("holed", Buffer.concat([printed(1, 2), printed(4, 4)]));
  await using reader = await TestReader.start({});
  await reader.untilCount(3);
  expect(reader.messages).toEqual(["line 0", "line 1", "line 3"]);
  expect(reader.gaps).toMatchObject([{ cause: "corrupt" }]);
});

test("a host without journalctl is told so, and the journal is read once there is one", async () => {
  const path = process.env["PATH"];
  const events: TailEvent[] = [];
  const created = JournalSource.create({
    start: "beginning",
    directory,
    timing: EAGER_JOURNAL_TIMING,
    onEvent: (event) => events.push(event),
  });
  if (!created.ok) throw new Error(created.error.detail);
  await using source = created.value;
  try {
    process.env["PATH"] = "/nowhere";
    await source.start();
    expect(source.streams()).toEqual([]);
    expect(events).toMatchObject([{ kind: "journal-failed", code: "missing" }]);
    const abort = new AbortController();
    const changes = source.changes(abort.signal)[Symbol.asyncIterator]();
    process.env["PATH"] = path;
    fakeJournal(HANG);
    await changes.next();
    expect(source.streams()).toHaveLength(1);
    expect(events.at(-1)).toMatchObject({ kind: "journal-recovered" });
  } finally {
    process.env["PATH"] = path;
  }
});

test("a journal of which only a part may be seen is told of, once", async () => {
  fakeJournal(`
    echo 'Hint: You are currently not seeing messages from other users and the system.' >&2
    cat "$dir/from1"; exit 1
  `);
  await using reader = await TestReader.start({ directory });
  await reader.until(() => failures(reader.events).length === 3);
  expect(reader.events.filter(({ kind }) => kind === "journal-restricted")).toHaveLength(1);
});
