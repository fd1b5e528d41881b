import {
  appendFileSync,
  copyFileSync,
  readFileSync,
  renameSync,
  statSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { setImmediate as nextTurn, setTimeout as delay } from "node:timers/promises";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { Collector, compress, Folder } from "./tail-fixture.ts";

const BANNER = "the same banner in every file\n".repeat(150);
const LOG = "app.log";
const NEVER = new AbortController().signal;

/** A log that was read as far as it goes, by an agent that is stopped now. */
async function stopped(folder: Folder, text: string): Promise<Collector> {
  const collector = new Collector({ include: [folder.at(LOG)], start: "beginning" });
  folder.append(LOG, text);
  await collector.start();
  await collector.settle();
  await collector.restart();
  await collector.stop();
  return collector;
}

function rotate(folder: Folder, from: string, to: string): void {
  renameSync(folder.at(from), folder.at(to));
}

describe("a file that was rotated and compressed while the agent was down", () => {
  it.each([
    ["a few lines", "one\n", "gz"],
    ["a few lines", "one\n", "zst"],
    ["more than a head", BANNER, "gz"],
    ["more than a head", BANNER, "zst"],
    ["megabytes", "a line of a large file\n".repeat(200_000), "gz"],
  ] as const)("is read on from where it was: %s, %#", async (_, before, format) => {
    using folder = new Folder();
    const collector = await stopped(folder, before);
    folder.append(LOG, "the rest\n");
    rotate(folder, LOG, "app.log.1");
    compress(folder.at("app.log.1"), format);
    folder.append(LOG, "new\n");
    await collector.start();
    await collector.settle();
    expect(collector.generations(folder.at(LOG))).toEqual([`${before}the rest\n`, "new\n"]);
    expect(collector.eventKinds()).toContain("recovered");
    await collector.stop();
  });

  it.each(["", BANNER])(
    "three times, each by another way, gives every line in order (%#)",
    async (head) => {
      using folder = new Folder();
      const collector = await stopped(folder, `${head}one\n`);
      folder.append(LOG, "two\n");
      rotate(folder, LOG, "app.log.1");
      folder.append(LOG, `${head}three\n`);
      rotate(folder, "app.log.1", "app.log.2");
      compress(folder.at("app.log.2"));
      rotate(folder, LOG, "app.log.1");
      folder.append(LOG, `${head}four\n`);
      rotate(folder, "app.log.2.gz", "app.log.3.gz");
      rotate(folder, "app.log.1", "app.log.2");
      compress(folder.at("app.log.2"), "zst");
      rotate(folder, LOG, "app.log.1");
      folder.append(LOG, `${head}five\n`);
      await collector.start();
      await collector.settle();
      expect(collector.generations(folder.at(LOG))).toEqual([
        `${head}one\ntwo\n`,
        `${head}three\n`,
        `${head}four\n`,
        `${head}five\n`,
      ]);
      expect(collector.lost).toEqual([]);
      await collector.stop();
    },
  );

  it("is told from its neighbour with the same first 4 KiB by what was read last", async () => {
    using folder = new Folder();
    const collector = new Collector({ include: [folder.at(LOG)], start: "beginning" });
    folder.append(LOG, `${BANNER}one\n`);
    await collector.start();
    await collector.settle();
    rotate(folder, LOG, "app.log.1");
    folder.append(LOG, `${BANNER}two, and longer\n`);
    await collector.settle();
    await collector.restart();
    await collector.stop();
    rotate(folder, "app.log.1", "app.log.2");
    folder.append("app.log.2", "written late, so that it is as long as the other\n");
    compress(folder.at("app.log.2"));
    rotate(folder, LOG, "app.log.1");
    folder.append("app.log.1", "the rest\n");
    compress(folder.at("app.log.1"));
    await collector.start();
    await collector.settle();
    expect(collector.generations(folder.at(LOG))).toEqual([
      `${BANNER}one\n`,
      `${BANNER}two, and longer\nthe rest\n`,
      "written late, so that it is as long as the other\n",
    ]);
    await collector.stop();
  });

  it("by copytruncate, is read on in the archive of the copy", async () => {
    using folder = new Folder();
    const collector = await stopped(folder, "one\n");
    folder.append(LOG, "two\n");
    copyFileSync(folder.at(LOG), folder.at("app.log.1"));
    truncateSync(folder.at(LOG));
    compress(folder.at("app.log.1"));
    folder.append(LOG, "three\n");
    await collector.start();
    await collector.settle();
    expect(collector.generations(folder.at(LOG))).toEqual(["one\ntwo\n", "three\n"]);
    await collector.stop();
  });

  it("is read from any cursor of it, and after another restart", async () => {
    using folder = new Folder();
    const lines = Array.from({ length: 5_000 }, (_, n) => `line ${n}\n`).join("");
    const collector = await stopped(folder, lines);
    rotate(folder, LOG, "app.log.1");
    folder.append("app.log.1", "the rest\n");
    compress(folder.at("app.log.1"));
    await collector.start();
    await collector.rescan();
    for (const share of [0.9, 0.5, 0]) {
      await collector.stop();
      collector.rollBack(share);
      await collector.start();
      await collector.settle(1_000);
      expect(collector.text(folder.at(LOG))).toBe(`${lines}the rest\n`);
    }
    expect(collector.refused).toEqual([]);
    await collector.stop();
  });

  it("whose archives were renamed since, is still found", async () => {
    using folder = new Folder();
    const collector = await stopped(folder, "one\n");
    folder.append(LOG, "two\n");
    rotate(folder, LOG, "app.log.1");
    compress(folder.at("app.log.1"));
    await collector.start();
    await collector.rescan();
    await collector.restart();
    rotate(folder, "app.log.1.gz", "app.log.2.gz");
    await collector.settle();
    expect(collector.text(folder.at(LOG))).toBe("one\ntwo\n");
    expect(collector.lost).toEqual([]);
    await collector.stop();
  });
});

describe("an archive that gives no new records", () => {
  it("is that of a finished file", async () => {
    using folder = new Folder();
    const collector = new Collector({ include: [folder.at("*")], start: "beginning" });
    folder.append(LOG, "one\n");
    await collector.start();
    await collector.settle();
    rotate(folder, LOG, "app.log.1");
    folder.append(LOG, "two\n");
    await collector.settle();
    // As if it had been written to after the last look: only its content tells.
    utimesSync(compress(folder.at("app.log.1")), Date.now() / 1000, Date.now() / 1000);
    await collector.settle();
    await collector.restart();
    await collector.settle();
    expect(collector.generations(folder.at(LOG))).toEqual(["one\n", "two\n"]);
    expect(collector.sources).toEqual([folder.at(LOG)]);
    await collector.stop();
  });

  it("is one that was there before the agent was", async () => {
    using folder = new Folder();
    folder.append("app.log.1", "old\n");
    const longAgo = Date.now() / 1000 - 60;
    utimesSync(compress(folder.at("app.log.1")), longAgo, longAgo);
    folder.append(LOG, "one\n");
    const collector = new Collector({ include: [folder.at(LOG)], start: "beginning" });
    await collector.start();
    await collector.settle();
    await collector.restart();
    await collector.settle();
    expect(collector.generations(folder.at(LOG))).toEqual(["one\n"]);
    await collector.stop();
  });

  it("is that of a file that is read through its descriptor", async () => {
    using folder = new Folder();
    const collector = new Collector({ include: [folder.at(LOG)], start: "beginning" });
    folder.append(LOG, "one\n");
    await collector.start();
    folder.append(LOG, "two\n");
    rotate(folder, LOG, "app.log.1");
    compress(folder.at("app.log.1"));
    folder.append(LOG, "three\n");
    await collector.settle();
    expect(collector.generations(folder.at(LOG))).toEqual(["one\ntwo\n", "three\n"]);
    expect(collector.eventKinds()).not.toContain("recovered");
    await collector.stop();
  });
});

describe("a file of a few bytes in the place of one that was compressed", () => {
  it("is not read before the archive was looked at, and then at once", async () => {
    using folder = new Folder();
    const path = folder.at(LOG);
    const collector = new Collector({ include: [path], start: "beginning" });
    folder.append(LOG, "one\n");
    await collector.start();
    await collector.settle();
    rotate(folder, LOG, "app.log.1");
    folder.append(LOG, "two\n");
    await collector.settle();
    const [stream] = collector.source.streams().filter(({ generation }) => generation === 2);
    if (stream === undefined) throw new Error("no second file");
    const reader = await collector.reader(stream);
    folder.append("app.log.1", "written since the last look\n");
    compress(folder.at("app.log.1"));
    folder.append(LOG, "three\n");
    const target = new Uint8Array(64);
    expect(await reader.read(target, 0, NEVER)).toEqual({ kind: "idle" });
    await reader.changed(NEVER);
    expect(await reader.read(target, 0, NEVER)).toMatchObject({ kind: "bytes", length: 6 });
    await collector.stop();
  });
});

describe("an archive that cannot be inflated to its end", () => {
  it("is waited for while it is being written", async () => {
    using folder = new Folder();
    const collector = await stopped(folder, BANNER);
    const whole = gzipSync(`${BANNER}${Buffer.alloc(50_000, "x").toString()}\nthe rest\n`);
    unlinkSync(folder.at(LOG));
    writeFileSync(folder.at("app.log.1.gz"), whole.subarray(0, whole.length - 20));
    await collector.start();
    await collector.settle();
    expect(collector.text(folder.at(LOG))).not.toContain("the rest");
    appendFileSync(folder.at("app.log.1.gz"), whole.subarray(whole.length - 20));
    await collector.settle();
    expect(collector.text(folder.at(LOG))).toMatch(/^the same.*x\nthe rest\n$/s);
    expect(collector.lost).toEqual([]);
    await collector.stop();
  });

  it.each([
    ["cut long ago", (bytes: Buffer) => bytes.subarray(0, -20)],
    ["damaged", (bytes: Buffer) => Buffer.concat([bytes.subarray(0, -8), Buffer.alloc(8)])],
  ])("is a gap when it is %s", async (_, damage) => {
    using folder = new Folder();
    const collector = await stopped(folder, BANNER);
    const archive = folder.at("app.log.1.gz");
    // More than comes out at once: what is in front of the damage is read.
    const rest = Array.from({ length: 50_000 }, (_each, n) => `${Math.sin(n)}\n`).join("");
    writeFileSync(archive, damage(gzipSync(`${BANNER}${rest}`)));
    unlinkSync(folder.at(LOG));
    utimesSync(archive, Date.now() / 1000, Date.now() / 1000 - 3600);
    await collector.start();
    await collector.settle();
    expect(collector.lost).toMatchObject([{ reason: "corrupt", knownBytes: undefined }]);
    expect(collector.events).toContainEqual(
      expect.objectContaining({ kind: "gap", cause: "corrupt" }),
    );
    await collector.stop();
  });
});

describe("an archive that was given up", () => {
  it("is closed, and its reader can still be asked for what is behind", async () => {
    using folder = new Folder();
    const collector = await stopped(folder, BANNER);
    const rest = Array.from({ length: 50_000 }, (_, n) => `${Math.sin(n)}\n`).join("");
    const whole = gzipSync(`${BANNER}${rest}`);
    writeFileSync(folder.at("app.log.1.gz"), whole.fill(0, whole.length - 8));
    unlinkSync(folder.at(LOG));
    await collector.start();
    await collector.rescan();
    const [stream] = collector.source.streams();
    if (stream === undefined) throw new Error("no stream");
    const reader = await collector.reader(stream);
    const signal = AbortSignal.timeout(10_000);
    const target = new Uint8Array(64 * 1024);
    let outcome = await reader.read(target, 0, signal);
    while (outcome.kind === "bytes") outcome = await reader.read(target, 0, signal);
    expect(outcome).toMatchObject({ kind: "lost", reason: "corrupt" });
    await delay(20); // The last read of it has returned, and its descriptor is closed.
    expect(reader.behindBytes).toBe(0);
    await collector.stop();
  });
});

describe("a new archive beside a file of a few lines", () => {
  it("holds back what follows until it was looked into, and nothing else meanwhile", async () => {
    using folder = new Folder();
    folder.append(LOG, "one\n");
    const collector = new Collector({ include: [folder.at(LOG)], start: "beginning" });
    await collector.start();
    await collector.settle();
    writeFileSync(folder.at("app.log.1.gz"), gzipSync("before\n"));
    folder.append(LOG, "two\n");
    const [stream] = collector.source.streams();
    if (stream === undefined) throw new Error("no stream");
    const reader = await collector.reader(stream);
    const signal = AbortSignal.timeout(10_000);
    expect(await reader.read(new Uint8Array(9), 0, signal)).toEqual({ kind: "idle" });
    const changed = reader.changed(signal).then(() => "changed");
    expect(await Promise.race([changed, nextTurn("the loop goes on")])).toBe("the loop goes on");
    await changed;
    await collector.settle();
    expect(collector.text(folder.at(LOG))).toBe("one\ntwo\nbefore\n");
    await collector.stop();
  });
});

describe("what compressors write", () => {
  it.each([
    ["several members", (a: string, b: string) => Buffer.concat([gzipSync(a), gzipSync(b)]), "gz"],
    [
      "several frames",
      (a: string, b: string) => Buffer.concat([zstdCompressSync(a), zstdCompressSync(b)]),
      "zst",
    ],
  ] as const)("is read whole: %s", async (_, write, format) => {
    using folder = new Folder();
    const collector = await stopped(folder, BANNER);
    const { mtimeMs } = statSync(folder.at(LOG));
    expect(readFileSync(folder.at(LOG), "latin1")).toBe(BANNER);
    unlinkSync(folder.at(LOG));
    const archive = folder.at(`app.log.1.${format}`);
    writeFileSync(archive, write(`${BANNER}one\n`, "two\n"));
    utimesSync(archive, mtimeMs / 1000, mtimeMs / 1000);
    await collector.start();
    await collector.settle();
    expect(collector.text(folder.at(LOG))).toBe(`${BANNER}one\ntwo\n`);
    await collector.stop();
  });
});
