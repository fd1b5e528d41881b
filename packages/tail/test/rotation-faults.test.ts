import { copyFileSync, renameSync, truncateSync, unlinkSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { Collector, Folder } from "./tail-fixture.ts";

function rotate(folder: Folder, name: string, keep: number): void {
  for (let n = keep; n >= 1; n -= 1) {
    const from = n === 1 ? folder.at(name) : folder.at(`${name}.${n - 1}`);
    try {
      renameSync(from, folder.at(`${name}.${n}`));
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
    }
  }
  writeFileSync(folder.at(name), "");
}

describe("rotation by rename", () => {
  it("delivers every line of three rotations that happened while stopped, oldest first", async () => {
    using folder = new Folder();
    const collector = new Collector({ include: [folder.at("app.log")], start: "beginning" });
    folder.append("app.log", "one\n");
    await collector.start();
    await collector.settle();
    await collector.restart();
    await collector.stop();
    folder.append("app.log", "two\n");
    for (const line of ["three\n", "four\n", "five\n"]) {
      rotate(folder, "app.log", 5);
      folder.append("app.log", line);
    }
    await collector.start();
    await collector.settle();
    expect(collector.generations(folder.at("app.log"))).toEqual([
      "one\ntwo\n",
      "three\n",
      "four\n",
      "five\n",
    ]);
    expect(collector.sources).toEqual([folder.at("app.log")]);
    await collector.stop();
  });

  it("delivers the rest written to a renamed file before the writer reopens", async () => {
    using folder = new Folder();
    const collector = new Collector({ include: [folder.at("*.log*")], start: "beginning" });
    folder.append("app.log", "one\n");
    await collector.start();
    await collector.settle();
    rotate(folder, "app.log", 2);
    folder.append("app.log.1", "late\n");
    folder.append("app.log", "two\n");
    await collector.settle();
    folder.append("app.log.1", "very late\n");
    await collector.settle();
    expect(collector.generations(folder.at("app.log"))).toEqual([
      "one\nlate\n",
      "two\n",
      "very late\n",
    ]);
    expect(collector.eventKinds()).toContain("late-write");
    await collector.stop();
  });

  it("leaves siblings alone that no glob matches and that exist at the first start", async () => {
    using folder = new Folder();
    folder.append("app.log.2", "oldest\n");
    folder.append("app.log.1", "older\n");
    folder.append("app.log", "one\n");
    const collector = new Collector({ include: [folder.at("app.log")], start: "beginning" });
    await collector.start();
    await collector.settle();
    rotate(folder, "app.log", 4);
    folder.append("app.log", "two\n");
    await collector.settle();
    await collector.restart();
    rotate(folder, "app.log", 4);
    folder.append("app.log", "three\n");
    await collector.settle();
    expect(collector.text(folder.at("app.log"))).toBe("one\ntwo\nthree\n");
    await collector.stop();
  });

  it("reads matched siblings as older generations of their log", async () => {
    using folder = new Folder();
    folder.append("app.log.2", "a\n");
    folder.append("app.log.1", "b\n");
    folder.append("app.log", "c\n");
    const collector = new Collector({ include: [folder.at("app*")], start: "beginning" });
    await collector.start();
    await collector.settle();
    expect(collector.generations(folder.at("app.log"))).toEqual(["a\n", "b\n", "c\n"]);
    expect(collector.sources).toEqual([folder.at("app.log")]);
    await collector.stop();
  });
});

describe("copytruncate", () => {
  it.each(["app.log", "app.log*"])("reads the unread rest in the copy (glob %s)", async (glob) => {
    using folder = new Folder();
    const collector = new Collector({ include: [folder.at(glob)], start: "beginning" });
    folder.append("app.log", "one\n");
    await collector.start();
    await collector.settle();
    folder.append("app.log", "two\n");
    copyFileSync(folder.at("app.log"), folder.at("app.log.1"));
    truncateSync(folder.at("app.log"));
    folder.append("app.log", "three\n");
    await collector.settle();
    expect(collector.generations(folder.at("app.log"))).toEqual(["one\ntwo\n", "three\n"]);
    expect(collector.sources).toEqual([folder.at("app.log")]);
    expect(collector.lost).toEqual([]);
    expect(collector.eventKinds()).toContain("recovered");
    await collector.stop();
  });

  it("never takes a copy that is still being made for a log of its own", async () => {
    using folder = new Folder();
    const collector = new Collector({ include: [folder.at("*")], start: "beginning" });
    folder.append("app.log", "one\ntwo\nthree\n");
    await collector.start();
    await collector.settle();
    for (const part of ["", "one\nt", "wo\n", "three\n"]) {
      folder.append("app.log.1", part);
      await collector.settle();
    }
    truncateSync(folder.at("app.log"));
    await collector.settle();
    folder.append("app.log", "four\n");
    await collector.settle();
    expect(collector.generations(folder.at("app.log"))).toEqual(["one\ntwo\nthree\n", "four\n"]);
    expect(collector.sources).toEqual([folder.at("app.log")]);
    await collector.stop();
  });

  it("does not read a copy again that ends before the position", async () => {
    using folder = new Folder();
    const collector = new Collector({ include: [folder.at("*")], start: "beginning" });
    folder.append("app.log", "one\n");
    await collector.start();
    await collector.settle();
    copyFileSync(folder.at("app.log"), folder.at("app.log.1"));
    folder.append("app.log", "after the copy\n");
    for (const stream of collector.source.streams()) await collector.drain(stream);
    truncateSync(folder.at("app.log"));
    folder.append("app.log", "two\n");
    await collector.settle();
    expect(collector.text(folder.at("app.log"))).toBe("one\nafter the copy\ntwo\n");
    expect(collector.sources).toEqual([folder.at("app.log")]);
    await collector.stop();
  });

  it("delivers every line of three rounds that happened while stopped", async () => {
    using folder = new Folder();
    const collector = new Collector({ include: [folder.at("app.log")], start: "beginning" });
    folder.append("app.log", "one\n");
    await collector.start();
    await collector.settle();
    await collector.restart();
    await collector.stop();
    for (const line of ["two\n", "three\n", "four\n"]) {
      folder.append("app.log", line);
      for (const n of [2, 1]) {
        try {
          renameSync(folder.at(`app.log.${n}`), folder.at(`app.log.${n + 1}`));
        } catch {
          // The first rounds have fewer copies.
        }
      }
      copyFileSync(folder.at("app.log"), folder.at("app.log.1"));
      truncateSync(folder.at("app.log"));
    }
    folder.append("app.log", "five\n");
    await collector.start();
    await collector.settle();
    expect(collector.generations(folder.at("app.log"))).toEqual([
      "one\ntwo\n",
      "three\n",
      "four\n",
      "five\n",
    ]);
    await collector.stop();
  });
});

describe("truncation without a copy", () => {
  it("counts the bytes that were seen and not read, and starts anew at byte 0", async () => {
    using folder = new Folder();
    const collector = new Collector({ include: [folder.at("app.log")], start: "beginning" });
    folder.append("app.log", "one\n");
    await collector.start();
    await collector.settle();
    folder.append("app.log", "never read\n");
    await collector.rescan();
    writeFileSync(folder.at("app.log"), "2\n");
    await collector.settle();
    expect(collector.generations(folder.at("app.log"))).toEqual(["one\n", "2\n"]);
    expect(collector.lost).toEqual([
      { kind: "lost", reason: "truncated", fromByte: 4, knownBytes: 11 },
    ]);
    await collector.stop();
  });

  it("notices a file that has grown past the old offset between two reads", async () => {
    using folder = new Folder();
    const collector = new Collector({ include: [folder.at("app.log")], start: "beginning" });
    folder.append("app.log", "one\n");
    await collector.start();
    await collector.settle();
    writeFileSync(folder.at("app.log"), "a new and longer line\n");
    for (const stream of collector.source.streams()) await collector.drain(stream);
    await collector.settle();
    expect(collector.generations(folder.at("app.log"))).toEqual([
      "one\n",
      "a new and longer line\n",
    ]);
    await collector.stop();
  });

  it("delivers 100 lines written after a truncation exactly once", async () => {
    using folder = new Folder();
    const collector = new Collector({ include: [folder.at("*")], start: "beginning" });
    folder.append("app.log", "old\n".repeat(500));
    await collector.start();
    await collector.settle();
    truncateSync(folder.at("app.log"));
    let written = "";
    for (let line = 0; line < 100; line += 1) {
      written += `line ${line}\n`;
      folder.append("app.log", `line ${line}\n`);
      if (line % 10 === 0) await collector.settle(64);
    }
    await collector.settle();
    expect(collector.text(folder.at("app.log"))).toBe("old\n".repeat(500) + written);
    await collector.stop();
  });
});

describe("deletion", () => {
  it("reads a deleted file to its end through its descriptor", async () => {
    using folder = new Folder();
    const collector = new Collector({ include: [folder.at("app.log")], start: "beginning" });
    folder.append("app.log", "one\n");
    await collector.start();
    await collector.settle();
    folder.append("app.log", "two\n");
    unlinkSync(folder.at("app.log"));
    await collector.settle();
    expect(collector.text(folder.at("app.log"))).toBe("one\ntwo\n");
    expect(collector.source.streams()).toEqual([]);
    await collector.stop();
  });
});
