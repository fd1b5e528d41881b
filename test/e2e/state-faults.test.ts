import { appendFileSync, readFileSync, renameSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";

import { Site } from "../src/site.ts";
import { StoredData } from "../src/stored.ts";

describe("an agent's state", () => {
  test("that was torn anywhere holds nothing up: every line is stored once", async () => {
    await using site = new Site();
    const { port } = await site.startCollector();
    const path = join(site.logDir, "app.log");
    const start = { port, files: [path], start: "end" } as const;
    writeFileSync(path, "old\n");
    let agent = await site.startAgent(start);
    const statePath = join(site.stateDir, "state.json");
    let lines = "";
    const append = (line: string): void => {
      lines += line;
      appendFileSync(path, line);
    };
    // Each place by itself is torn in the checkpoints' own tests.
    for (const [round, share] of [0, 0.6].entries()) {
      append(`round ${round}\n`);
      await site.untilStored(lines.split("\n").length - 1);
      await agent.kill();
      truncateSync(statePath, Math.floor(readFileSync(statePath).length * share));
      append("before a rotation\n");
      renameSync(path, `${path}.${2 - round}`);
      append("behind it\n");
      agent = await site.startAgent(start);
    }
    await site.untilStored(lines.split("\n").length - 1);
    using data = StoredData.open(site.dataDir);
    expect(data.bytes(path).toString()).toBe(lines);
    expect(data.gaps()).toEqual([]);
  });

  test("holds where a first start at the end began: lines written after a kill before the first commit arrive", async () => {
    await using site = new Site();
    const { collector, port } = await site.startCollector();
    await collector.stop();
    const path = join(site.logDir, "app.log");
    writeFileSync(path, "old\n");
    const start = { port, files: [path], start: "end" } as const;
    const agent = await site.startAgent(start);
    await agent.kill();
    appendFileSync(path, "while it was down\n");
    await site.startCollector({ port });
    await site.startAgent(start);
    await site.untilStored(1);
    appendFileSync(path, "later\n");
    await site.untilStored(2);
    using data = StoredData.open(site.dataDir);
    expect(data.bytes(path).toString()).toBe("while it was down\nlater\n");
  });
});
