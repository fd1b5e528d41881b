import { appendFileSync, mkdirSync, renameSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";

import { onlyWhereAllAreWanted } from "../src/long-test.ts";
import { LOG_LEVEL_ERROR } from "../src/process.ts";
import { Site } from "../src/site.ts";
import { StoredData } from "../src/stored.ts";

describe("the state of an agent", () => {
  test("that was lost comes back whole from the collector, however many streams it had", async (context) => {
    onlyWhereAllAreWanted(context);
    await using site = new Site();
    const { port } = await site.startCollector();
    // More than one control message lists.
    const paths = Array.from({ length: 300 }, (_, i) => join(site.logDir, `${i}.log`));
    const start = { port, files: [join(site.logDir, "*.log")], start: "end" } as const;
    for (const path of paths) writeFileSync(path, "old\n");
    const agent = await site.startAgent(start);
    await agent.logged(({ msg }) => msg === "connected");
    for (const path of paths) appendFileSync(path, "one\n");
    await site.untilStored(paths.length);
    await agent.stop();
    rmSync(join(site.stateDir, "state.json"));
    for (const path of paths) {
      appendFileSync(path, "two\n");
      renameSync(path, `${path}.1`);
      writeFileSync(path, "three\n");
    }
    await site.startAgent(start);
    await site.untilStored(3 * paths.length);
    using data = StoredData.open(site.dataDir);
    expect(data.records()).toBe(3 * paths.length);
    expect(data.gaps()).toEqual([]);
  }, 60_000);

  test("that was lost, and with it the number of a file that is gone, has the next file read all the same", async () => {
    await using site = new Site();
    const { port } = await site.startCollector();
    const path = join(site.logDir, "a.log");
    const start = { port, files: [join(site.logDir, "*.log")] };
    writeFileSync(path, "one\ntwo\n");
    const agent = await site.startAgent(start);
    await site.untilStored(2);
    rmSync(path);
    await site.untilFinished(1);
    await agent.stop();
    rmSync(join(site.stateDir, "state.json"));
    writeFileSync(path, "three\nfour\nfive\n");
    await site.startAgent(start);
    await site.untilStored(5);
    using data = StoredData.open(site.dataDir);
    expect(data.gaps()).toEqual([]);
    expect(data.streams().map(({ generation, records }) => [generation, records])).toEqual([
      [1, 2],
      [2, 3],
    ]);
  }, 60_000);

  test("that cannot be written holds a new file back until it can", async () => {
    await using site = new Site();
    const { port } = await site.startCollector();
    writeFileSync(join(site.logDir, "a.log"), "one\n");
    const agent = await site.startAgent({ port, files: [join(site.logDir, "*.log")] });
    await site.untilStored(1);
    // Stands in the way of the file that each state is written to first, as a full disk would.
    const obstacle = join(site.stateDir, "state.json.tmp");
    mkdirSync(obstacle);
    writeFileSync(join(site.logDir, "b.log"), "two\n");
    await agent.logged(({ level }) => level >= LOG_LEVEL_ERROR);
    using data = StoredData.open(site.dataDir);
    expect(data.records()).toBe(1);
    rmdirSync(obstacle);
    await site.untilStored(2);
  }, 60_000);

  test("that cannot be written at the start is named, with no stack trace", async () => {
    await using site = new Site();
    const { port } = await site.startCollector();
    mkdirSync(join(site.stateDir, "agent-id.tmp"), { recursive: true });
    const agent = site.launchAgent({ port, files: [join(site.logDir, "*.log")] });
    expect(await agent.exited).toEqual({ code: 1, signal: null });
    const said = agent.log.map(({ text }) => text).join("\n");
    expect(said).toContain(`state_dir ${site.stateDir}: EISDIR`);
    expect(said).not.toContain("    at ");
  });
});
