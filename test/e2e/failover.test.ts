import { cpSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";

import { ChaosProxy } from "../src/chaos/chaos-proxy.ts";
import { Prng } from "../src/corpus/prng.ts";
import { accountForLines } from "../src/kill/line-account.ts";
import { LogWriter } from "../src/log-writer.ts";
import { NumberedLines } from "../src/numbered-lines.ts";
import { Site } from "../src/site.ts";
import { StoredData } from "../src/stored.ts";

const LINES = new NumberedLines(0, 100);

/** Which lines a collector has stored, in its order. */
function numbersIn(dataDir: string, path: string): (number | undefined)[] {
  using data = StoredData.open(dataDir);
  return [...data.batches(path)].flat().map((line) => LINES.numberOf(line));
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i);
}

describe("with two collectors", () => {
  test("lines go to the second when the first dies, twice only what that had stored and not told, and to the first again when it is back", async () => {
    await using site = new Site();
    await using other = new Site();
    const { collector: first, port } = await site.startCollector();
    // One token for both, as an agent has one.
    cpSync(join(site.dataDir, "tokens"), join(other.dataDir, "tokens"), { recursive: true });
    const { port: otherPort } = await other.startCollector();
    await using proxy = await ChaosProxy.start(port);
    using writer = new LogWriter({
      path: join(site.logDir, "app.log"),
      lines: LINES,
      random: new Prng(7),
      rotateEvery: Number.POSITIVE_INFINITY,
    });
    const config = join(site.dir, "two.yaml");
    writeFileSync(
      config,
      JSON.stringify({
        collector: [`ws://127.0.0.1:${proxy.port}`, `ws://127.0.0.1:${otherPort}`],
        failback: "300ms",
        token_file: join(site.dataDir, "tokens/ingest.token"),
        state_dir: site.stateDir,
        host: "test-host",
        sources: [{ file: writer.path, start: "beginning" }],
      }),
    );
    const agent = site.launchAgentWith(config);
    await agent.ready();
    const acked = proxy.seen("ack");
    await writer.write(300, 0);
    await site.untilStored(300);
    await acked;
    // The first commits what it can no longer tell of.
    const lost = proxy.trap({
      from: "collector",
      matches: (_, control) => control?.type === "ack",
      spring: () => false,
    });
    await writer.write(100, 0);
    await lost;
    await first.kill();
    await writer.write(300, 0);
    await other.untilStored(300);
    await site.untilStored(300);
    const atFirst = numbersIn(site.dataDir, writer.path);
    await other.untilStored(writer.written - atFirst.length);
    const atSecond = numbersIn(other.dataDir, writer.path);
    expect(atFirst).toEqual(range(0, atFirst.length));
    // In one piece, and nothing between the two is left out.
    const [from = Number.NaN] = atSecond;
    expect(atSecond).toEqual(range(from, writer.written));
    const doubled = atFirst.length - from;
    expect(doubled).toBeGreaterThan(0);
    expect(doubled).toBeLessThanOrEqual(100);

    const back = await site.startCollector();
    proxy.target = back.port;
    await agent.logged(({ msg }) => msg.includes("answers again"));
    await writer.write(100, 0);
    await site.untilStored(writer.written);
    using data = StoredData.open(site.dataDir);
    expect(accountForLines(writer.path, data.batches(writer.path), LINES, writer.written)).toEqual(
      [],
    );
    expect(data.gaps()).toEqual([]);
    expect(numbersIn(other.dataDir, writer.path)).toEqual(atSecond);
  });
});
