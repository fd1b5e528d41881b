import { type ChildProcess, spawn } from "node:child_process";
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";

import { freePort } from "../src/bench/free-port.ts";
import { type CommandResult, runCommand } from "../src/command.ts";
import { eventually } from "../src/eventually.ts";
import { PRODUCT } from "../src/product.ts";

const LAUNCHER = join(PRODUCT.root, "sluice");
const STARTED_WITHIN_MS = 30_000;

/** `npm start` without npm: what it printed so far, and how it ended. */
class Start implements AsyncDisposable {
  readonly exited: Promise<number | null>;
  readonly #child: ChildProcess;
  output = "";

  constructor(args: readonly string[]) {
    const script = join(PRODUCT.root, "scripts/start.mjs");
    this.#child = spawn(process.execPath, [script, ...args], { stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.on("data", (chunk: Buffer) => (this.output += chunk.toString()));
    }
    this.exited = new Promise((resolve) => this.#child.once("close", resolve));
  }

  async printed(text: string): Promise<void> {
    await eventually(
      () => (this.output.includes(text) ? true : undefined),
      STARTED_WITHIN_MS,
      () => this.output,
    );
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Ends it as Ctrl-C does, and with it both programs. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.signal("SIGINT");
    await this.exited;
  }
}

let dir: string;
let port: number;
let args: readonly string[];

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), "sluice-start-"));
  port = await freePort();
  mkdirSync(join(dir, "logs"));
  args = [
    `--state-dir=${join(dir, "state")}`,
    `--listen=127.0.0.1:${port}`,
    `--logs=${join(dir, "logs")}`,
  ];
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

function sluice(...command: string[]): Promise<CommandResult> {
  return runCommand([LAUNCHER, ...command], { SLUICE_CONTEXT: join(dir, "state/context.json") });
}

/** The commands that it tells people to type, without the variable in front. */
function suggestedCommands(output: string): string[] {
  return [...output.matchAll(/^ +SLUICE_CONTEXT=\S+ \S*sluice (.*?) {2,}/gm)].map(
    ([, command = ""]) => command,
  );
}

test("npm start ships a folder, suggests commands that work, and goes on where it ended", async () => {
  const log = join(dir, "logs/app.log");
  writeFileSync(log, "all is well\nconnection refused by upstream\n");
  writeFileSync(join(dir, "logs/wtmp"), Buffer.alloc(400));
  {
    await using start = new Start(args);
    await start.printed("agents  ");
    expect(start.output).toContain("shipping 1 log file,");
    expect(start.output).toContain("not text: 1 file");
    expect(start.output).toMatch(/shipped {2}2 lines, .* lines\/s/);
    const [query = "", ...others] = suggestedCommands(start.output);
    expect([query, ...others]).toEqual(["query refused -n 20", "tail", "agents"]);
    const found = await sluice(...query.split(" "), "-o", "raw");
    expect(found).toMatchObject({ code: 0, stdout: "connection refused by upstream\n" });
    const agents = await sluice("agents", "--json");
    expect(agents.code).toBe(0);
    expect(JSON.parse(agents.stdout)).toMatchObject([{ streams: [{ source: log, records: 2 }] }]);
    start.signal("SIGINT");
    expect(await start.exited).toBe(0);
    expect(start.output).toContain("the data stays in");
  }
  expect(existsSync(join(dir, "state/data/head.db"))).toBe(true);
  appendFileSync(log, "written while nothing ran\n");

  await using again = new Start(args);
  await again.printed("agents  ");
  expect(again.output).toMatch(/shipped {2}1 line, .*; 2 lines were here before/);
  const all = await sluice("query", "*", "-o", "raw", "--order", "stream");
  expect(all.stdout.split("\n")).toEqual([
    "all is well",
    "connection refused by upstream",
    "written while nothing ran",
    "",
  ]);
  again.signal("SIGTERM");
  again.signal("SIGTERM"); // a shell and a process manager may both pass it on
  expect(await again.exited).toBe(0);
});

test("npm start that finds nothing to read ships a sample and calls it generated", async () => {
  await using start = new Start(args);
  await start.printed("agents  ");
  expect(start.output).toContain("GENERATED SAMPLE");
  const found = await sluice("query", "*", "-n", "1", "-o", "jsonl");
  expect(JSON.parse(found.stdout)).toMatchObject({
    host: "sample",
    source: join(dir, "state/sample/generated-sample.log"),
  });
  start.signal("SIGINT");
  expect(await start.exited).toBe(0);
});

test("npm start on a port that is taken names the holder and the way out", async () => {
  const holder = createServer();
  await new Promise<void>((resolve) => holder.listen(port, "127.0.0.1", resolve));
  await using start = new Start(args);
  expect(await start.exited).toBe(1);
  holder.close();
  expect(start.output).toContain(`port ${port} on 127.0.0.1 is taken`);
  expect(start.output).toContain("npm start -- --listen 127.0.0.1:");
  if (process.platform === "linux") expect(start.output).toContain(`(process ${process.pid}`);
});

test("npm start ends when one of its programs does, and says which and why", async () => {
  writeFileSync(join(dir, "logs/app.log"), "a line\n");
  // A data folder that is a file stops the collector.
  mkdirSync(join(dir, "state"));
  writeFileSync(join(dir, "state/data"), "");
  await using start = new Start(args);
  expect(await start.exited).toBe(1);
  expect(start.output).toContain("the collector ended with exit code 1");
  expect(start.output).toContain(join(dir, "state/data"));
});
