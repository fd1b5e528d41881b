import { createHash } from "node:crypto";
import {
  closeSync,
  copyFileSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import Database from "better-sqlite3";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import type { Run } from "../../src/block/run.ts";
import { SegmentOutput } from "../../src/maintenance/segment-output.ts";
import { listSegmentFiles } from "../../src/manifest/segment-folder.ts";
import type { NewSegment } from "../../src/manifest/swap.ts";
import { runFacts } from "../../src/segment/run-facts.ts";
import { SegmentError } from "../../src/segment/segment-error.ts";
import { SegmentFile } from "../../src/segment/segment-file.ts";
import { SegmentRunReader } from "../../src/segment/segment-run-reader.ts";
import { SEGMENT_SCHEMA_VERSION } from "../../src/segment/segment-schema.ts";
import { line, runOf, runs, toRecords } from "../block/runs.ts";
import { Folder } from "../folder.ts";

const DAY = "2026-11-26";

let folder: Folder;

beforeEach(() => {
  folder = Folder.inMemory();
});

afterEach(() => folder[Symbol.dispose]());

function describeStream(streamId: number) {
  return {
    streamId,
    agentId: `agent-${streamId}`,
    source: "/log",
    generation: 3,
    host: "web-1",
    labels: '{"env":"prod"}',
  };
}

/** Runs of different streams, in the order of these. */
async function write(list: readonly Run[], level = 1): Promise<NewSegment> {
  using output = new SegmentOutput(folder.path, level, new Map(), []);
  list.forEach((run) => output.add("default", DAY, describeStream(run.streamId), run));
  await output.finish();
  const [segment] = output.publish();
  return segment as NewSegment;
}

function told({ streamId, columns, seqs, arrivals }: Run): unknown {
  return { streamId, records: toRecords(columns), seqs: [...seqs], arrivals };
}

function codeOf(path: string, read: (file: SegmentFile) => unknown = (file) => file.runs): string {
  try {
    using file = SegmentFile.open(folder.path, path);
    read(file);
  } catch (error) {
    if (error instanceof SegmentError) {
      expect(error.message).toContain(path);
      return error.code;
    }
    throw error;
  }
  return "fine";
}

describe("a segment", () => {
  it("gives back what was written, and says of it what is so", async () => {
    await fc.assert(
      fc.asyncProperty(runs, async (list) => {
        const distinct = [...new Map(list.map((run) => [run.streamId, run])).values()];
        const segment = await write(distinct);
        using file = SegmentFile.open(folder.path, segment.path);
        const reader = new SegmentRunReader(file);
        const read = file.runs.map((run) => reader.read(run) as Run);
        const byStream = Map.groupBy(read, ({ streamId }) => streamId);
        expect(new Set(byStream.keys())).toEqual(new Set(distinct.map(({ streamId }) => streamId)));
        for (const run of distinct) {
          // Small as they are, each is one run.
          expect(byStream.get(run.streamId)?.map(told)).toEqual([told(run)]);
        }
        expect(file.runs).toMatchObject(read.map(runFacts));
        expect(segment).toMatchObject({
          blocks: file.blockCount,
          records: read.reduce((sum, { columns }) => sum + columns.count, 0),
          bytes: statSync(folder.at(segment.path)).size,
        });
        rmSync(folder.at("segments"), { recursive: true });
      }),
      { numRuns: 40 },
    );
  }, 60_000);

  it("describes itself", async () => {
    const { path, ...segment } = await write([runOf([line("a")], 7), runOf([line("b")], 9)], 6);
    using file = SegmentFile.open(folder.path, path);
    expect(file.streams()).toEqual([describeStream(7), describeStream(9)]);
    expect([file.meta("partition"), file.meta("day"), file.meta("path")]).toEqual([
      "default",
      DAY,
      path,
    ]);
    expect(segment).toMatchObject({ partition: "default", day: DAY, level: 6 });
    expect(path).toMatch(/^segments\/default\/2026-11-26\/[0-9a-f-]{36}\.db$/);
    const sum = segment.streams.reduce((bytes, stream) => bytes + stream.bytes, 0);
    expect(Math.abs(sum - segment.bytes)).toBeLessThanOrEqual(segment.streams.length);
  });

  it("is one for each partition and day", async () => {
    using output = new SegmentOutput(folder.path, 1, new Map(), []);
    for (const [partition, day] of [
      ["default", DAY],
      ["default", "2026-11-27"],
      ["rule-1", DAY],
    ] as const) {
      output.add(partition, day, describeStream(1), runOf([line("a")]));
    }
    expect(await output.finish()).toHaveLength(3);
    expect(output.publish().map(({ partition, day }) => `${partition} ${day}`)).toEqual([
      `default ${DAY}`,
      "default 2026-11-27",
      `rule-1 ${DAY}`,
    ]);
  });

  it("leaves nothing where it is given up, however far it came", async () => {
    for (const finish of [false, true]) {
      using output = new SegmentOutput(folder.path, 1, new Map(), []);
      output.add("default", DAY, describeStream(1), runOf([line("a")]));
      expect(listSegmentFiles(folder.path)).toHaveLength(1);
      if (finish) {
        await output.finish();
      }
      output[Symbol.dispose]();
      expect(listSegmentFiles(folder.path)).toEqual([]);
    }
  });

  it("is not there under its name before it is complete", async () => {
    using output = new SegmentOutput(folder.path, 1, new Map(), []);
    output.add("default", DAY, describeStream(1), runOf([line("a")]));
    const [path] = await output.finish();
    expect(listSegmentFiles(folder.path)).toEqual([`${path}.tmp`]);
    output.publish();
    expect(listSegmentFiles(folder.path)).toEqual([path]);
  });
});

describe("the blocks of a long stream", () => {
  const LINES = 40_000;

  /** About 3 MiB, in batches as they come. */
  function long(): Run {
    return runOf(
      Array.from({ length: LINES }, (_, i) =>
        line(
          `Nov 26 08:00:00 web-1 app[${i % 97}]: request ${(i * 7919) % 100_003} took ${i % 13} ms`,
        ),
      ),
    );
  }

  async function writeLong(run: Run): Promise<string> {
    using output = new SegmentOutput(folder.path, 3, new Map([[run.streamId, 1e9]]), []);
    output.add("default", DAY, describeStream(run.streamId), run);
    await output.finish();
    const [segment] = output.publish();
    return segment?.path ?? "";
  }

  it("are read back by themselves, whichever comes first", async () => {
    const run = long();
    const all = toRecords(run.columns);
    using file = SegmentFile.open(folder.path, await writeLong(run));
    expect(file.runs.length).toBeGreaterThan(2);
    for (const stored of file.runs.toReversed()) {
      const read = new SegmentRunReader(file).read(stored) as Run;
      const from = stored.firstSeq;
      expect(toRecords(read.columns)).toEqual(all.slice(from, from + stored.count));
    }
  });

  it("are lost but for the first where the dictionary that they share is damaged", async () => {
    const path = await writeLong(long());
    const db = new Database(folder.at(path));
    expect(db.prepare("UPDATE dictionaries SET bytes = x'00'").run().changes).toBe(1);
    db.close();
    using file = SegmentFile.open(folder.path, path);
    const read = file.runs.map((run) => new SegmentRunReader(file).read(run) !== undefined);
    expect(read).toEqual(file.runs.map((_, i) => i === 0));
  });
});

describe("a file that is no whole segment", () => {
  const place = `segments/default/${DAY}/x.db`;

  beforeEach(() => mkdirSync(dirname(folder.at(place)), { recursive: true }));

  function sql(path: string, text: string): void {
    const db = new Database(folder.at(path));
    db.exec(text);
    db.close();
  }

  it("is gone where it is not there, or its folder is not", () => {
    expect(codeOf(place)).toBe("gone");
    expect(codeOf("segments/other/2026-11-26/x.db")).toBe("gone");
  });

  it("is damaged where it is empty, text, or another database", () => {
    writeFileSync(folder.at(place), "");
    expect(codeOf(place)).toBe("damaged");
    writeFileSync(folder.at(place), "not a database".repeat(1000));
    expect(codeOf(place)).toBe("damaged");
    rmSync(folder.at(place));
    sql(place, "CREATE TABLE customers (id INTEGER)");
    expect(codeOf(place)).toBe("damaged");
  });

  it("is of a newer version where it says so", async () => {
    const { path } = await write([runOf([line("a")])]);
    sql(path, `PRAGMA user_version = ${SEGMENT_SCHEMA_VERSION + 1}`);
    expect(codeOf(path)).toBe("newer");
  });

  it.each(["runs", "blocks"])("is damaged where it has no table %s", async (table) => {
    const { path } = await write([runOf([line("a")])]);
    sql(path, `DROP TABLE ${table}`);
    expect(codeOf(path)).toBe("damaged");
  });

  it("is damaged where its filter is not there, which is no matter but to whoever asks it", async () => {
    const { path } = await write([runOf([line("a")])]);
    sql(path, "DELETE FROM meta WHERE key IN ('filter', 'layouts')");
    expect(codeOf(path)).toBe("fine");
    expect(codeOf(path, (file) => file.filter)).toBe("damaged");
    expect(codeOf(path, (file) => file.mayElide("08"))).toBe("damaged");
  });

  it("costs only the blocks that were hit, wherever it was cut or overwritten", async () => {
    // Of digits that do not compress, so that each block has pages of its own.
    const digits = (n: number): string => createHash("sha256").update(String(n)).digest("hex");
    const list = [0, 1, 2, 3].map((streamId) =>
      runOf(
        Array.from({ length: 2_000 }, (_, i) => line(`${i} ${digits(streamId * 2_000 + i)}`)),
        streamId,
      ),
    );
    const { path, bytes } = await write(list);
    const file = folder.at(path);
    copyFileSync(file, `${file}.whole`);
    const outcomes = new Set<string>();
    for (let at = 0; at < bytes; at += 2_048) {
      copyFileSync(`${file}.whole`, file);
      if (at % 4_096 === 0) {
        truncateSync(file, at);
      } else {
        const whole = readFileSync(file);
        const descriptor = openSync(file, "r+");
        const noise = whole.subarray(at, at + 1_024).map((byte) => byte ^ 0xff);
        writeSync(descriptor, noise, 0, noise.length, at);
        closeSync(descriptor);
      }
      // Whatever it is: an answer or a SegmentError, and no record that is not as it was.
      outcomes.add(
        codeOf(path, (damaged) => {
          const reader = new SegmentRunReader(damaged);
          for (const run of damaged.runs) {
            const read = reader.read(run);
            const original = list.find(({ streamId }) => streamId === run.streamId);
            outcomes.add(read === undefined ? "block lost" : "block whole");
            if (read !== undefined && original !== undefined) {
              expect(read.columns.count).toBe(run.count);
            }
          }
        }),
      );
    }
    expect([...outcomes].toSorted()).toEqual(["block lost", "block whole", "damaged", "fine"]);
  });
});
