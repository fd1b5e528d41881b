import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";

import type { ServiceProcess } from "../src/process.ts";
import { Site } from "../src/site.ts";

let site: Site;
let collector: ServiceProcess;
let agent: ServiceProcess;
let port: number;
let log: string;
let lines = 0;

const token = (scope: "ingest" | "query"): string =>
  readFileSync(join(site.dataDir, `tokens/${scope}.token`), "utf8").trim();

interface Asked {
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

const ask = (path: string, init: Asked = {}): Promise<Response> =>
  fetch(`http://127.0.0.1:${port}${path}`, {
    ...init,
    headers: { authorization: `Bearer ${token("query")}`, ...init.headers },
  });

function write(text: string): void {
  writeFileSync(log, text, { flag: "a" });
  lines += text.split("\n").length - 1;
}

beforeAll(async () => {
  site = new Site();
  ({ collector, port } = await site.startCollector());
  log = join(site.logDir, "app.log");
  write(`${"a".repeat(60)}!\n`.repeat(2_000));
  agent = await site.startAgent({ port, files: [log] });
  await site.untilStored(lines);
});
afterAll(() => site[Symbol.asyncDispose]());

// Whatever a user asked: lines go on being stored, and a question is answered.
afterEach(async () => {
  write("still here\n");
  await site.untilStored(lines);
  const answer = await ask("/v1/query?q=still&n=1");
  expect(await answer.text()).toContain("still here");
  expect(collector.isRunning).toBe(true);
});

const CATASTROPHIC = encodeURIComponent("/^(a+)+$/");

test("a pattern that never ends is ended within its time, and lines are stored meanwhile (fault 48)", async () => {
  const startedMs = performance.now();
  const asked = Promise.all(
    [1, 2, 3].map(async () => (await ask(`/v1/query?q=${CATASTROPHIC}&deadline=2s&all=1`)).text()),
  );
  write("meanwhile\n");
  await site.untilStored(lines, 5_000);
  for (const answer of await asked) expect(answer).toMatch(/"code":"deadline"|"end":/);
  expect(performance.now() - startedMs).toBeLessThan(20_000);
});

describe("a request that no client of ours makes", () => {
  test.each([
    ["a page token of another's making", "/v1/query?page=AAAA", 400],
    ["a page token that is huge", `/v1/query?page=${"A".repeat(6_000)}`, 400],
    ["a query that is too long", `/v1/query?q=${"a+".repeat(4_200)}`, 431],
    ["a query that nests", `/v1/query?q=${"(".repeat(500)}a${")".repeat(500)}`, 400],
    ["a parameter given twice", "/v1/query?n=1&n=2", 400],
    ["a parameter that is not known", "/v1/query?shell=1", 400],
    ["a number of rows that is none", "/v1/query?n=1e9", 400],
    ["a time beyond all time", "/v1/query?since=999999999999d", 400],
    ["a tail from the future", "/v1/tail?from=999999999999", 410],
    ["a path that climbs", "/v1/../../etc/passwd", 404],
    ["a path that climbs in disguise", "/v1/%2e%2e/%2e%2e/etc/passwd", 404],
  ])("%s is refused", async (_name, path, status) => {
    const answer = await ask(path);
    expect(answer.status).toBe(status);
    expect((await answer.text()).length).toBeLessThan(2_000);
  });

  test("clients that begin to read and stop keep no place from those that read", async () => {
    const stopping = new AbortController();
    const { signal } = stopping;
    const idle = await Promise.all(
      Array.from({ length: 20 }, () => ask("/v1/query?q=*&all=1&deadline=1h", { signal })),
    );
    const startedMs = performance.now();
    expect(await (await ask("/v1/query?q=*&n=1")).text()).toContain('"end"');
    expect(performance.now() - startedMs).toBeLessThan(10_000);
    expect(idle.every(({ status }) => status === 200)).toBe(true);
    stopping.abort();
  });

  test("hundreds of connections at once are answered, or told to come again", async () => {
    const answers = await Promise.all(
      Array.from({ length: 200 }, async () => {
        const answer = await ask("/v1/query?q=still&n=1");
        await answer.text();
        return answer.status;
      }),
    );
    expect(answers.filter((status) => status !== 200 && status !== 503)).toEqual([]);
    expect(answers).toContain(200);
  });
});

test("tokens are in no log, no command line, no address and no file but their own, which is 0600 (fault 49)", async () => {
  await site.sluice("stats", "--json", ...site.asking(port));
  const wrong = await ask("/v1/stats", { headers: { authorization: "Bearer canary-of-a-client" } });
  expect(wrong.status).toBe(401);
  const secrets = [token("ingest"), token("query"), "canary-of-a-client"];
  const places = new Map<string, string>();
  for (const service of [collector, agent]) {
    places.set(`${service.name}'s log`, service.log.map(({ text }) => text).join("\n"));
    for (const file of ["cmdline", "environ"]) {
      places.set(
        `${service.name}'s ${file}`,
        readFileSync(`/proc/${service.pid}/${file}`, "latin1"),
      );
    }
  }
  for (const file of readdirSync(site.dir, { recursive: true }).map(String)) {
    const path = join(site.dir, file);
    if (!statSync(path).isFile()) continue;
    if (file.endsWith(".token")) expect(statSync(path).mode & 0o777).toBe(0o600);
    else if (!file.endsWith("ballast")) places.set(file, readFileSync(path, "latin1"));
  }
  const leaks = [...places].filter(([, text]) => secrets.some((secret) => text.includes(secret)));
  expect(leaks.map(([place]) => place)).toEqual([]);
  expect(statSync(join(site.dataDir, "tokens")).mode & 0o777).toBe(0o700);
});
