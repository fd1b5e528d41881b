import { mkdirSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { describe, expect, it, vi } from "vitest";
import { Access, Refusal } from "../src/access.ts";
import { OpenFile } from "../src/open-file.ts";
import { Collector, Folder } from "./tail-fixture.ts";

describe("a link", () => {
  it("that is swapped to a file outside the allowed folders is refused, and reported once", async () => {
    using folder = new Folder();
    using secrets = new Folder();
    secrets.append("shadow", "root:secret\n");
    folder.append("real", "one\n");
    symlinkSync(folder.at("real"), folder.at("app.log"));
    const collector = new Collector({ include: [folder.at("*.log")], start: "beginning" });
    await collector.start();
    await collector.settle();
    unlinkSync(folder.at("app.log"));
    symlinkSync(secrets.at("shadow"), folder.at("app.log"));
    await collector.settle();
    await collector.restart();
    await collector.settle();
    expect(collector.text(folder.at("app.log"))).toBe("one\n");
    const refused = collector.events.filter(({ kind }) => kind === "refused");
    const refusal = {
      kind: "refused",
      path: folder.at("app.log"),
      reason: "outside-roots",
      leadsTo: secrets.at("shadow"),
    };
    // Once by each process.
    expect(refused).toEqual([refusal, refusal]);
    await collector.stop();
  });

  it("that leads into a folder named as a root is followed, also from a rotated file", async () => {
    using folder = new Folder();
    using pods = new Folder();
    pods.append("0.log", "one\n");
    symlinkSync(pods.at("0.log"), folder.at("app.log"));
    const collector = new Collector({
      include: [folder.at("*.log")],
      roots: [pods.path],
      start: "beginning",
    });
    await collector.start();
    await collector.settle();
    renameSync(pods.at("0.log"), pods.at("0.log.20261126-120000"));
    pods.append("0.log", "two\n");
    await collector.settle();
    expect(collector.text(folder.at("app.log"))).toBe("one\ntwo\n");
    await collector.stop();
  });

  it("in place of a folder on the way is refused", () => {
    using folder = new Folder();
    using secrets = new Folder();
    secrets.append("app.log", "secret\n");
    symlinkSync(secrets.path, folder.at("logs"));
    expect(() => new Access([folder.path]).open(folder.at("logs/app.log"))).toThrow(Refusal);
  });

  it.each(["the file", "its folder"])(
    "that takes the place of %s between the look and the opening is not followed",
    (what) => {
      using folder = new Folder();
      using secrets = new Folder();
      secrets.append("app.log", "secret\n");
      mkdirSync(folder.at("logs"));
      writeFileSync(folder.at("logs/app.log"), "one\n");
      const open = OpenFile.open.bind(OpenFile);
      const spy = vi.spyOn(OpenFile, "open").mockImplementationOnce((path) => {
        if (what === "the file") {
          unlinkSync(folder.at("logs/app.log"));
          symlinkSync(secrets.at("app.log"), folder.at("logs/app.log"));
        } else {
          renameSync(folder.at("logs"), folder.at("moved"));
          symlinkSync(secrets.path, folder.at("logs"));
        }
        return open(path);
      });
      let text = "";
      try {
        const file = new Access([folder.path]).open(folder.at("logs/app.log"));
        text = Buffer.from(file.bytesAt(0, 100)).toString();
        file.close();
      } catch (error) {
        expect(error).toBeInstanceOf(Refusal);
      }
      spy.mockRestore();
      // A folder that was moved away is still the one that was looked at.
      expect(text).toBe(what === "the file" ? "" : "one\n");
    },
  );

  it("that leads to itself is an error of the system", () => {
    using folder = new Folder();
    symlinkSync(folder.at("a.log"), folder.at("a.log"));
    expect(() => new Access([folder.path]).open(folder.at("a.log"))).toThrow(/ELOOP/);
  });

  it("may be relative, go up, and pass through other links", () => {
    using folder = new Folder();
    mkdirSync(folder.at("a/b"), { recursive: true });
    folder.append("real.log", "one\n");
    symlinkSync("../..", folder.at("a/b/top"));
    symlinkSync("a/b/top/./real.log", folder.at("link.log"));
    const file = new Access([folder.path]).open(folder.at("link.log"));
    expect(Buffer.from(file.bytesAt(0, 100)).toString()).toBe("one\n");
    file.close();
  });
});

describe("what the process writes itself", () => {
  it("is not read: nothing below its folder, not its log, nor what that was rotated to", async () => {
    using folder = new Folder();
    mkdirSync(folder.at("state"));
    folder.append("state/debug.log", "x\n");
    folder.append("agent.log", "x\n");
    folder.append("agent.log.1", "older\n");
    folder.append("app.log", "one\n");
    const own = new Access([folder.path]).open(folder.at("agent.log"));
    const { dev, ino } = own.stat();
    own.close();
    const collector = new Collector({
      include: [folder.at("**/*.log*")],
      own: { folders: [folder.at("state")], files: [{ dev, ino }] },
      start: "beginning",
    });
    await collector.start();
    await collector.settle();
    expect(collector.sources).toEqual([folder.at("app.log")]);
    const refused = collector.events.flatMap((event) =>
      event.kind === "refused" ? [`${event.path.slice(folder.path.length)} ${event.reason}`] : [],
    );
    expect(refused.toSorted()).toEqual([
      "/agent.log own-log",
      "/agent.log.1 own-log",
      "/state/debug.log own-log",
    ]);
    rmSync(folder.at("state"), { recursive: true });
    await collector.stop();
  });
});
