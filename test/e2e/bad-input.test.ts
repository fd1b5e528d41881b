import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, chmodSync, cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { type CommandResult, runCommand } from "../src/command.ts";
import { eventually } from "../src/eventually.ts";
import { asOrdinaryUser, NO_ORDINARY_USER } from "../src/ordinary-user.ts";
import { ServiceProcess } from "../src/process.ts";
import { PRODUCT } from "../src/product.ts";
import { Site } from "../src/site.ts";
import { StoredData } from "../src/stored.ts";

/** The agent as people copy it to their hosts. */
const AGENT_FILE = join(PRODUCT.root, "apps/agent/dist/sluice-agent.cjs");

const STACK_FRAME = /^ +at .+:\d+/m;
const PAGE_BYTES = 4096;

let site: Site;

beforeEach(() => {
  site = new Site();
  chmodSync(site.dir, 0o755); // an ordinary user comes through to what is open to all
});
afterEach(() => site[Symbol.asyncDispose]());

function sluiceAgent(...args: string[]): Promise<CommandResult> {
  return runCommand([process.execPath, site.product.agent, ...args]);
}

function writeConfig(name: string, text: string): string {
  const path = join(site.dir, name);
  writeFileSync(path, text);
  return path;
}

function expectFailure(result: CommandResult, code: number, ...says: readonly string[]): void {
  expect(result.signal).toBe(null);
  expect(result.stderr).not.toMatch(STACK_FRAME);
  for (const text of says) expect(result.stderr).toContain(text);
  expect(result.code).toBe(code);
}

async function storedLines(where: Site, count: number): Promise<void> {
  await eventually(
    () => {
      using data = StoredData.open(where.dataDir);
      return data.records() >= count ? true : undefined;
    },
    20_000,
    () => `${count} lines are due\n${where.logTails()}`,
  );
}

describe("a configuration", () => {
  test("with a misspelt key is refused with its place and the key that was meant", async () => {
    const collector = writeConfig(
      "collector.yaml",
      "listen: 127.0.0.1:0\nretension:\n  keep: 1d\n",
    );
    expectFailure(
      await site.sluice("serve", "--config", collector),
      78,
      `${collector}:2:1`,
      "retention?",
    );
    const agent = writeConfig("agent.yaml", "sources:\n  - file: /x.log\n    begin: end\n");
    expectFailure(await sluiceAgent("run", "--config", agent), 78, `${agent}:3:5`, "begin");
  });

  test("that was named and is not there is an error, not a default", async () => {
    const path = join(site.dir, "none.yaml");
    expectFailure(
      await site.sluice("serve", "--config", path),
      78,
      `${path}: there is no such file`,
    );
    expectFailure(await sluiceAgent("run", "--config", path), 78, `${path}: there is no such file`);
  });

  test("whose token file cannot be read is refused, naming the file", async ({ skip }) => {
    const wrapper = asOrdinaryUser() ?? skip(NO_ORDINARY_USER);
    const token = writeConfig("agent.token", "secret\n");
    chmodSync(token, 0o000);
    const config = writeConfig(
      "agent.yaml",
      JSON.stringify({ token_file: token, state_dir: site.stateDir, sources: [{ file: "/x" }] }),
    );
    const command = [...wrapper, process.execPath, site.product.agent, "run", "--config", config];
    expectFailure(await runCommand(command), 78, token, "permission denied", "run the agent as");
  });
});

describe("an agent", () => {
  test("names a source that it may not read, and ships the others", async ({ skip }) => {
    const wrapper = asOrdinaryUser() ?? skip(NO_ORDINARY_USER);
    const { port } = await site.startCollector();
    const [open, closed] = [join(site.logDir, "open.log"), join(site.logDir, "closed.log")];
    writeFileSync(open, "one\ntwo\n");
    writeFileSync(closed, "secret\n");
    chmodSync(closed, 0o000);
    mkdirSync(site.stateDir);
    chmodSync(site.stateDir, 0o777);
    const token = join(site.dir, "agent.token");
    writeFileSync(token, readFileSync(join(site.dataDir, "tokens/ingest.token")), { mode: 0o644 });
    const config = writeConfig(
      "agent.yaml",
      JSON.stringify({
        collector: `ws://127.0.0.1:${port}`,
        token_file: token,
        state_dir: site.stateDir,
        sources: [{ file: join(site.logDir, "*.log"), start: "beginning" }],
      }),
    );
    const [command, ...args] = [
      ...wrapper,
      process.execPath,
      site.product.agent,
      "run",
      "--config",
      config,
    ];
    await using agent = new ServiceProcess("agent", command, args);
    const warning = await agent.logged(({ fields }) => fields["path"] === closed);
    expect(warning.msg).toContain("give the agent's user read permission");
    await storedLines(site, 2);
    chmodSync(closed, 0o644);
    await storedLines(site, 3);
    expect(await agent.stop()).toEqual({ code: 0, signal: null });
  });

  test("with a wrong token keeps trying, says what to do, and loses nothing", async () => {
    const { port } = await site.startCollector();
    const log = join(site.logDir, "app.log");
    writeFileSync(log, "before\n");
    const tokenPath = join(site.dataDir, "tokens/ingest.token");
    const token = readFileSync(tokenPath);
    writeFileSync(tokenPath, "not-the-token\n");
    const mistaken = await site.startAgent({ port, files: [log] });
    const warning = await mistaken.logged(({ msg }) => msg.startsWith("not connected"));
    expect(warning.msg).toContain("401");
    expect(warning.fields["advice"]).toContain("compare token_file with");
    expect(mistaken.isRunning).toBe(true);
    appendFileSync(log, "meanwhile\n");
    expect(await mistaken.stop()).toEqual({ code: 0, signal: null });

    writeFileSync(tokenPath, token);
    await site.startAgent({ port, files: [log] });
    await storedLines(site, 2);
    using data = StoredData.open(site.dataDir);
    expect(data.bytes(log).toString()).toBe("before\nmeanwhile\n");
    expect(data.gaps()).toEqual([]);
  });
});

test("a collector whose port is taken ends, and names the port", async () => {
  const holder = createServer().listen(0, "127.0.0.1");
  await once(holder, "listening");
  const { port } = holder.address() as AddressInfo;
  const result = await site.sluice(
    "serve",
    "--listen",
    `127.0.0.1:${port}`,
    "--data-dir",
    site.dataDir,
  );
  holder.close();
  expectFailure(result, 1, `port ${port} on 127.0.0.1 is taken`, "--listen");
});

test("a query that cannot be read is shown with a mark under the place", async () => {
  const result = await site.sluice("query", "--data", site.dataDir, "error (timeout or");
  expectFailure(result, 2, "  error (timeout or\n", "^");
});

describe("data that is not as it was left", () => {
  /** A file each, so that each is a batch of its own. */
  const NAMES = ["a", "b", "c"];
  const LINES = 200;

  let original: Site;

  beforeAll(async () => {
    original = new Site();
    for (const name of NAMES) {
      const line = `line of ${name}: ${"0123456789abcdef".repeat(8)}\n`;
      writeFileSync(join(original.logDir, `${name}.log`), line.repeat(LINES));
    }
    const { collector, port } = await original.startCollector();
    const agent = await original.startAgent({ port, files: [join(original.logDir, "*.log")] });
    await storedLines(original, LINES * NAMES.length);
    await agent.stop();
    await collector.stop();
  });
  afterAll(() => original[Symbol.asyncDispose]());

  beforeEach(() => cpSync(original.dataDir, site.dataDir, { recursive: true }));

  const headPath = (): string => join(site.dataDir, "head.db");
  const query = (): Promise<CommandResult> =>
    site.sluice("query", "--data", site.dataDir, "*", "--all", "-o", "raw");
  const serve = (): Promise<CommandResult> =>
    site.sluice("serve", "--listen", "127.0.0.1:0", "--data-dir", site.dataDir);

  function inspect(sql: string): unknown {
    const db = new Database(headPath(), { readonly: true });
    try {
      return db.prepare(sql).pluck().get();
    } finally {
      db.close();
    }
  }

  function flipRootPage(table: string): void {
    const page = inspect(`SELECT rootpage FROM sqlite_schema WHERE name = '${table}'`) as number;
    flip((page - 1) * PAGE_BYTES, 64);
  }

  function flip(from: number, length: number): void {
    const bytes = readFileSync(headPath());
    for (let at = from; at < from + length; at++) bytes.writeUInt8(bytes.readUInt8(at) ^ 0xff, at);
    writeFileSync(headPath(), bytes);
  }

  test("but by a newer version is refused, and stays as it is", async () => {
    const db = new Database(headPath());
    db.pragma("user_version = 1000");
    db.pragma("wal_checkpoint(TRUNCATE)");
    db.close();
    const before = readFileSync(headPath());
    expectFailure(await serve(), 1, "written by a newer Sluice", "nothing was changed");
    expectFailure(await query(), 2, "written by a newer Sluice");
    expect(readFileSync(headPath()).equals(before)).toBe(true);
  });

  test("in the header of the database is named, with what to do", async () => {
    flip(0, 32);
    for (const [result, code] of [
      [await serve(), 1],
      [await query(), 2],
    ] as const) {
      expectFailure(result, code, headPath(), "the database is damaged", "backup");
    }
  });

  test.for(["meta", "agents", "streams", "batches", "gaps", "jobs"])(
    "in the first page of table %s is found before anything is added to it",
    async (table) => {
      flipRootPage(table);
      expectFailure(await serve(), 1, headPath(), "the database is damaged", "backup");
    },
  );

  test.for(["streams", "batches"])(
    "in the first page of table %s ends a query with a clear message",
    async (table) => {
      flipRootPage(table);
      expectFailure(await query(), 2, headPath(), "the database is damaged");
    },
  );

  test("inside a batch costs that batch: it is reported, and the others are found", async () => {
    const payload = inspect("SELECT payload FROM batches ORDER BY id LIMIT 1") as Buffer;
    const place = readFileSync(headPath()).indexOf(payload.subarray(0, 64));
    expect(place).toBeGreaterThan(0);
    flip(place + 40, 1);
    const result = await query();
    expectFailure(result, 0, "1 damaged");
    const lines = result.stdout.split("\n").slice(0, -1);
    expect(lines).toHaveLength(LINES * (NAMES.length - 1));
    expect(new Set(lines).size).toBe(NAMES.length - 1);
  });
});

test("the agent's one file needs nothing beside it", async () => {
  const copy = join(site.dir, "sluice-agent.cjs");
  cpSync(AGENT_FILE, copy);
  const result = await runCommand([process.execPath, copy, "--version"]);
  expect(result).toMatchObject({ code: 0, stderr: "" });
  expect(result.stdout).toMatch(/^sluice-agent \d+\.\d+\.\d+ \(.*Node\.js \d+.*\)\n$/);
});

test("a Node that is too old gets one sentence", async ({ skip }) => {
  const oldNode = oldestNode() ?? skip("there is no Node older than 22.15 on this machine");
  for (const [bin, version] of [
    [site.product.agent, "22.15"],
    [AGENT_FILE, "22.15"],
    [site.product.collector, "24.6"],
  ] as const) {
    const result = await runCommand([oldNode, bin, "--version"]);
    expectFailure(result, 2, `needs Node.js ${version} or newer`);
    expect(result.stderr.trimEnd().split("\n")).toHaveLength(1);
  }
});

function oldestNode(): string | undefined {
  const folders = ["/usr/bin", "/usr/local/bin", ...(process.env["PATH"] ?? "").split(":")];
  return folders
    .map((folder) => join(folder, "node"))
    .find((path) => {
      const version = spawnSync(path, ["--version"], { encoding: "utf8" }).stdout ?? "";
      const [major = NaN, minor = NaN] = version.trim().slice(1).split(".").map(Number);
      return major < 22 || (major === 22 && minor < 15);
    });
}
