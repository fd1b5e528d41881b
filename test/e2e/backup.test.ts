import { appendFileSync, readdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { describe, expect, test } from "vitest";

import { onlyWhereAllAreWanted } from "../src/long-test.ts";
import { runCommand } from "../src/command.ts";
import { NumberedLines } from "../src/numbered-lines.ts";
import { PRODUCT } from "../src/product.ts";
import { rawQuery } from "../src/raw-query.ts";
import { Site } from "../src/site.ts";
import { StoredData } from "../src/stored.ts";

/** `sluice`, and what it said, parsed; its exit code is 0. */
async function sluice(...args: readonly string[]): Promise<Record<string, unknown>> {
  const { code, stdout, stderr } = await runCommand([
    process.execPath,
    PRODUCT.collector,
    ...args,
    "--json",
  ]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return JSON.parse(stdout) as Record<string, unknown>;
}

/** A log with lines that say which they are, and the site around it. */
class Log {
  readonly path: string;
  readonly #lines = new NumberedLines(0, 100);
  #written = 0;

  constructor(site: Site) {
    this.path = join(site.logDir, "app.log");
    writeFileSync(this.path, "");
  }

  get written(): number {
    return this.#written;
  }

  write(lines: number): void {
    const end = this.#written + lines;
    for (; this.#written < end; this.#written++) {
      appendFileSync(this.path, this.#lines.line(this.#written));
    }
  }

  rotate(): void {
    renameSync(this.path, `${this.path}.1`);
    writeFileSync(this.path, "");
  }

  /** Every line so far, once and in order. */
  get text(): string {
    return Array.from({ length: this.#written }, (_, i) => this.#lines.line(i)).join("");
  }
}

const storedText = (site: Site): Promise<string> => text(rawQuery(PRODUCT, site.dataDir));

describe("a restored backup", () => {
  test("gets from its agents what it lacks, once and in order, also across a rotation", async (context) => {
    onlyWhereAllAreWanted(context);
    await using site = new Site();
    const { collector, port } = await site.startCollector();
    const url = ["--collector", `http://127.0.0.1:${port}`];
    const token = ["--token-file", join(site.dataDir, "tokens/query.token")];
    const log = new Log(site);
    const agent = await site.startAgent({ port, files: [log.path] });
    log.write(500);
    await site.untilStored(500);
    await sluice("compact", ...url, ...token);
    log.write(100);
    await site.untilStored(600);

    const backup = join(site.dir, "backup");
    const made = await sluice("backup", backup, ...url, ...token);
    expect(made).toMatchObject({ path: backup, records: 600, doctor: { problems: 0 } });

    log.write(200);
    await site.untilStored(800);
    log.rotate();
    log.write(100);
    await site.untilStored(900);
    await site.untilFinished(1);
    await sluice("compact", ...url, ...token);
    expect(await sluice("doctor", "--deep", ...url, ...token)).toMatchObject({ problems: 0 });
    await collector.stop();

    const restore = ["restore", backup, "--data", site.dataDir, "--replace"];
    const restored = await sluice(...restore);
    expect(restored).toMatchObject({ doctor: { problems: 0 }, deletes: 0 });
    expect(await storedText(site)).toBe(log.text.split("\n").slice(0, 600).join("\n") + "\n");

    // The agent finds it where the older collector was.
    log.write(50);
    const second = await site.startCollector({ port });
    expect(second.port).toBe(port);
    const behind = ({ msg }: { msg: string }): boolean => msg.includes("behind what it had ack");
    await agent.logged(behind);
    await site.untilStored(log.written);
    expect(await storedText(site)).toBe(log.text);
    using data = StoredData.open(site.dataDir);
    expect(data.gaps()).toEqual([]);
    await second.collector.stop();
    expect(await sluice("doctor", "--deep", "--data", site.dataDir)).toMatchObject({ problems: 0 });
    expect(await sluice("doctor", "--deep", "--data", backup)).toMatchObject({ problems: 0 });
  }, 120_000);

  test("is refused over a store that is there, and beside a running collector", async () => {
    await using site = new Site();
    const { collector, port } = await site.startCollector();
    const url = ["--collector", `http://127.0.0.1:${port}`];
    const token = ["--token-file", join(site.dataDir, "tokens/query.token")];
    const backup = join(site.dir, "backup");
    await sluice("backup", backup, ...url, ...token);
    const run = (...args: string[]) => runCommand([process.execPath, PRODUCT.collector, ...args]);
    const again = await run("backup", backup, ...url, ...token);
    expect(again).toMatchObject({ code: 1 });
    expect(again.stderr).toContain("is not empty");
    const running = await run("restore", backup, "--data", site.dataDir, "--replace");
    expect(running).toMatchObject({ code: 1 });
    expect(running.stderr).toContain("another collector is using");
    await collector.stop();
    const over = await run("restore", backup, "--data", site.dataDir);
    expect(over).toMatchObject({ code: 1 });
    expect(over.stderr).toContain("--replace");
    expect(readdirSync(backup).toSorted()).toEqual([
      "DELETES.jsonl",
      "backup.json",
      "head.db",
      "tokens",
    ]);
  }, 60_000);
});

describe("a head that was made again from its segments", () => {
  test("is gone on with by the agents, from where they stood", async () => {
    await using site = new Site();
    const { collector, port } = await site.startCollector();
    const url = ["--collector", `http://127.0.0.1:${port}`];
    const token = ["--token-file", join(site.dataDir, "tokens/query.token")];
    const log = new Log(site);
    await site.startAgent({ port, files: [log.path] });
    log.write(300);
    await site.untilStored(300);
    await sluice("compact", ...url, ...token);
    await collector.stop();
    writeFileSync(join(site.dataDir, "head.db"), "no database any more".repeat(500));
    const broken = await runCommand([
      process.execPath,
      PRODUCT.collector,
      "doctor",
      "--data",
      site.dataDir,
    ]);
    expect(broken.code).toBe(1);
    expect(broken.stdout).toContain("--rebuild");
    const rebuilt = await sluice("doctor", "--rebuild", "--data", site.dataDir);
    expect(rebuilt).toMatchObject({ records: 300, leftOut: [], doctor: { problems: 0 } });
    await site.startCollector({ port });
    log.write(100);
    await site.untilStored(400);
    expect(await storedText(site)).toBe(log.text);
  }, 60_000);
});
