import { rmSync } from "node:fs";
import { chmod, mkdtemp, readdir, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { listSettings } from "@sluice/config";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { COLLECTOR_CONFIG } from "../src/config.ts";
import { RunningCommand, run } from "./command.ts";
import { FilledStore } from "./filled-store.ts";

const START_US = Date.UTC(2026, 10, 24, 8) * 1000;

/** Not UTF-8, an escape sequence, a stray CR, nothing at all. */
const ODD = [Buffer.from([0xff, 0xfe, 0x41]), "\u001b[31mred", "end\r", ""];

let dataDir: string;
let store: FilledStore;

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "sluice-cli-"));
  store = await FilledStore.open(dataDir);
  await store.write(
    ["timeout of db", "connection refused", "all well"].map((body, i) => ({
      body,
      timeUs: START_US + i * 1_000_000,
      severity: 17 - 4 * i,
    })),
  );
  await store.write(ODD.map((body, i) => ({ body, timeUs: START_US + (10 + i) * 1_000_000 })));
});

afterAll(async () => {
  await store[Symbol.asyncDispose]();
  rmSync(dataDir, { recursive: true });
});

async function query(...args: readonly string[]) {
  return run("query", "--data", dataDir, ...args);
}

describe("sluice query", () => {
  test("prints every body byte for byte with -o raw, beside a running collector", async () => {
    const { code, stdout, stderr } = await query("-o", "raw");
    const bodies = ["timeout of db", "connection refused", "all well", ...ODD];
    const expected = bodies.flatMap((body) => [Buffer.from(body as string), Buffer.from("\n")]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toEqual(Buffer.concat(expected));
  });

  test("prints the newest N oldest first", async () => {
    const { stdout } = await query("level:>=info *e*", "-n", "2", "-o", "jsonl");
    const rows = stdout.toString().trimEnd().split("\n");
    expect(rows.map((row) => (JSON.parse(row) as { body: string }).body)).toEqual([
      "\u001b[31mred",
      "end\r",
    ]);
  });

  test("prints whole times in a pipe, in UTC where that is asked for", async () => {
    const { stdout } = await query("refused", "--utc");
    expect(stdout.toString()).toBe(
      "2026-11-24T08:00:01.000Z  WRN  web-1  app.log  connection refused\n",
    );
  });

  test("exits 1 when nothing is found, and says what would have been", async () => {
    const { code, stdout, stderr } = await query("timeou");
    expect({ code, stdout: stdout.toString() }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toContain("no whole word `timeou`; `*timeou*` matches");
  });

  test("exits 2 and points at what it cannot read", async () => {
    const { code, stderr } = await query("(timeout");
    expect(code).toBe(2);
    expect(stderr).toContain("\n  (timeout\n  ^\n");
    expect(stderr).not.toContain("    at ");
  });

  test.each([
    ["a folder without data", ["query", "--data", "/nonexistent/sluice"]],
    ["a filter that looks like a flag", ["query", "-healthcheck"]],
    ["a live view of a sum", ["tail", "* | stats count()"]],
  ])("exits 2 without a stack trace for %s", async (_, args) => {
    const { code, stderr } = await run(...args);
    expect(code).toBe(2);
    expect(stderr).not.toBe("");
    expect(stderr).not.toContain("    at ");
  });

  test("exits 2 and says what helps when it would read more than it may", async () => {
    const { code, stdout, stderr } = await query("well", "--max-read", "1B");
    expect({ code, stdout: stdout.toString() }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain("narrow the query, or allow it more with --max-read");
    expect((await query("well", "--max-read", "much")).code).toBe(2);
    expect((await query("well", "--max-read", "1GB", "--count")).stdout.toString()).toBe("1\n");
  });

  test("ends quietly when its reader has seen enough", async () => {
    const command = new RunningCommand(["query", "--data", dataDir, "-o", "raw"]);
    command.child.stdout.destroy();
    const { code, stderr } = await command.ended();
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  });
});

describe("where a block is damaged", () => {
  let damagedDir: string;

  beforeAll(async () => {
    damagedDir = await mkdtemp(join(tmpdir(), "sluice-cli-"));
    {
      await using damaged = await FilledStore.open(damagedDir);
      await damaged.write([{ body: "still readable", timeUs: START_US }]);
      await damaged.write([{ body: "no longer readable", timeUs: START_US + 1_000_000 }]);
    }
    const head = new DatabaseSync(join(damagedDir, "head.db"));
    head.exec("UPDATE batches SET payload = zeroblob(length(payload)) WHERE first_seq = 1");
    head.close();
  });

  afterAll(() => rmSync(damagedDir, { recursive: true }));

  test.each([
    [["-o", "raw"], 0, "still readable\n"],
    [["--count", "readable"], 0, "1\n"],
    [["--count", "missing"], 2, "0\n"],
    [["-o", "raw", "missing"], 2, ""],
  ])("query %j says that its answer is incomplete, and exits %i", async (args, exit, expected) => {
    const { code, stdout, stderr } = await run("query", "--data", damagedDir, ...args);
    expect({ code, stdout: stdout.toString() }).toEqual({ code: exit, stdout: expected });
    expect(stderr).toContain("the answer is incomplete: 1 damaged block could not be read");
  });

  test("a count of everything needs nothing of it, and is complete", async () => {
    const { stdout, stderr } = await run("query", "--data", damagedDir, "--count");
    expect({ stdout: stdout.toString(), stderr }).toEqual({ stdout: "2\n", stderr: "" });
  });
});

test("sluice tail begins with the newest and goes on with what is committed", async () => {
  const command = new RunningCommand(["tail", "--data", dataDir, "-o", "raw", "-n", "1", "*well*"]);
  await command.until("all well\n");
  await store.write([{ body: "still well", timeUs: START_US + 60_000_000 }]);
  await command.until("still well\n");
  await store.write([{ body: "not so good", timeUs: START_US + 61_000_000 }]);
  await store.write([{ body: "well again", timeUs: START_US + 62_000_000 }]);
  await command.until("well again\n");
  command.child.kill("SIGINT");
  const { code, stdout } = await command.ended();
  expect(stdout.toString()).toBe("all well\nstill well\nwell again\n");
  expect(code).toBe(130);
});

test("sluice check says where a configuration is wrong and exits 78", async () => {
  const file = join(dataDir, "collector.yaml");
  await writeFile(file, "listen: 127.0.0.1:7514\nretenton:\n  keep: 30d\n");
  const { code, stderr } = await run("check", "--config", file);
  expect(code).toBe(78);
  expect(stderr).toContain(`${file}:2:1: `);
  expect(stderr).toContain("retention");
});

test.each([["serve"], ["check"], ["config", "show"]])(
  "sluice %s %s takes a flag for every scalar of the configuration",
  async (...command) => {
    const { code, stdout } = await run(...command, "--help");
    expect(code).toBe(0);
    for (const { flag } of listSettings(COLLECTOR_CONFIG, "SLUICE_")) {
      expect(stdout.toString()).toContain(`  --${flag} <`);
    }
  },
);

test("flags win over the file, and sluice config show says so", async () => {
  const file = join(dataDir, "flags.yaml");
  await writeFile(file, "retention:\n  keep: 30d\n  min_free: 10%\n");
  const flags = ["--retention-keep", "7d", "--retention-max-size", "50GB", "--data-dir", "/x"];
  const { stdout } = await run("config", "show", "--config", file, ...flags);
  expect(stdout.toString()).toBe(
    `listen: 127.0.0.1:7514 # default
data_dir: /x # flag --data-dir
products_dir: /usr/share/sluice/agent # default
tls: {}
retention:
  keep: 7d # flag --retention-keep
  max_size: 50GB # flag --retention-max-size
  min_free: 10% # ${file}:3
  rules: []
`,
  );
});

test("what sluice serve writes is its user's alone, also in a folder that others may look into", async () => {
  const openDir = await mkdtemp(join(tmpdir(), "sluice-cli-"));
  await chmod(openDir, 0o755);
  const command = new RunningCommand(["serve", "--data-dir", openDir, "--listen", "127.0.0.1:0"]);
  await command.until('"msg":"ready"');
  const names = await readdir(openDir, { recursive: true });
  const modes = await Promise.all(
    names.map(async (name) => ({ name, others: (await stat(join(openDir, name))).mode & 0o077 })),
  );
  command.child.kill("SIGTERM");
  expect((await command.ended()).code).toBe(0);
  rmSync(openDir, { recursive: true });
  expect(names).toContain("head.db-wal");
  expect(modes.filter(({ others }) => others !== 0)).toEqual([]);
});
