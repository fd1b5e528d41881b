import { appendFileSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";

import { Prng } from "../src/corpus/prng.ts";
import { eventually } from "../src/eventually.ts";
import { onlyWhereAllAreWanted } from "../src/long-test.ts";
import { Site } from "../src/site.ts";
import { StoredData } from "../src/stored.ts";

const SEED = 20_261_124;
const WITHIN_MS = 20_000;

interface PlanReport {
  readonly rows: readonly { readonly kind: string; readonly batches: number }[];
  readonly batches: number;
  readonly records: number;
  readonly bytes: number;
}

interface PruneReport {
  readonly plan: PlanReport;
  readonly batches: number;
  readonly records: number;
  readonly bytes: number;
  readonly diskBytesBefore: number;
  readonly diskBytesAfter: number;
}

interface CompactReport {
  readonly before: { readonly batches: number };
  readonly after: { readonly batches: number; readonly segments: number };
}

async function report<T>(site: Site, args: readonly string[]): Promise<T> {
  const { code, stdout, stderr } = await site.sluice(...args, "--json");
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return JSON.parse(stdout) as T;
}

/** Settings as the environment gives them; `min_free` is off, so that the machine's disk decides nothing. */
function under(settings: Readonly<Record<string, string>>): { wrapper: readonly string[] } {
  const pairs = Object.entries({ SLUICE_RETENTION_MIN_FREE: "0B", ...settings });
  return { wrapper: ["env", ...pairs.map(([name, value]) => `${name}=${value}`)] };
}

/** Lines of random hex, numbered: compression halves them, and no more. */
function* numberedLines(random: Prng, from: number, count: number): Generator<string> {
  for (let number = from; number < from + count; number++) {
    const words = Array.from({ length: 24 }, () => random.uint32().toString(16));
    yield `line ${number} ${words.join("")}\n`;
  }
}

async function untilStored(site: Site, records: number): Promise<void> {
  const stored = (): number => {
    using data = StoredData.open(site.dataDir);
    return data.records();
  };
  await eventually(
    () => (stored() >= records ? true : undefined),
    WITHIN_MS,
    () => `${stored()} of ${records} lines are stored\n${site.logTails()}`,
  );
}

/** The numbers of the lines that a query sees, in the order of their stream. */
async function visibleLines(site: Site, port: number): Promise<number[]> {
  const token = readFileSync(join(site.dataDir, "tokens/query.token"), "utf8").trim();
  const url = `http://127.0.0.1:${port}/v1/query?q=*&all=1&order=stream`;
  const response = await fetch(url, { headers: { Authorization: `Bearer ${token}` } });
  const lines = (await response.text()).trimEnd().split("\n");
  expect(lines.pop()).toMatch(/^\{"end":/);
  return lines.map((line) => {
    const { body } = JSON.parse(line) as { readonly body: string };
    return Number(/^line (\d+) /.exec(body)?.[1]);
  });
}

function diskBytes(site: Site): number {
  return readdirSync(site.dataDir, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, { parentPath, name }) => {
      return sum + (statSync(join(parentPath, name), { throwIfNoEntry: false })?.size ?? 0);
    }, 0);
}

/** A site whose data folder holds so many lines, with its agent and collector gone. */
async function filled(site: Site, lines: number): Promise<void> {
  const { collector, port } = await site.startCollector(under({}));
  await shipped(site, port, lines, "app.log");
  await collector.stop();
}

/** Has an agent read files of so many lines each to their ends. */
async function shipped(
  site: Site,
  port: number,
  lines: number,
  ...names: readonly string[]
): Promise<void> {
  const files = names.map((name) => join(site.logDir, name));
  for (const [index, file] of files.entries()) {
    writeFileSync(file, [...numberedLines(new Prng(SEED + index), 0, lines)].join(""));
  }
  const agent = await site.startAgent({ port, files });
  await untilStored(site, lines * names.length);
  await agent.stop();
}

function range(from: number, until: number): number[] {
  return Array.from({ length: until - from }, (_, index) => from + index);
}

test("a shorter policy hides what is past its time from the first query on, and then gives the disk back", async () => {
  await using site = new Site();
  await filled(site, 20_000);
  const before = diskBytes(site);
  await delay(1_000); // the age of the lines is what is tested
  const { port } = await site.startCollector(under({ SLUICE_RETENTION_KEEP: "1s" }));
  expect(await visibleLines(site, port)).toEqual([]);
  await eventually(
    () => (diskBytes(site) < before / 10 ? true : undefined),
    WITHIN_MS,
    () => `${diskBytes(site)} bytes of ${before} are left\n${site.logTails()}`,
  );
  const jobs = await report<{ kind: string; detail: string }[]>(site, [
    "jobs",
    ...site.asking(port),
  ]);
  expect(jobs).toContainEqual(
    expect.objectContaining({ kind: "prune", detail: expect.stringMatching(/older than 1s/) }),
  );
  const [agent] = await report<{ streams: { records: number }[] }[]>(site, [
    "agents",
    ...site.asking(port),
  ]);
  expect(agent?.streams.map(({ records }) => records)).toEqual([20_000]);
});

test("a plan is what the prune carries out, the oldest first, and the files shrink by it", async (context) => {
  onlyWhereAllAreWanted(context);
  await using site = new Site();
  await filled(site, 30_000);
  const config = join(site.dir, "collector.yaml");
  writeFileSync(config, 'retention: {max_size: 1MB, min_free: "0B"}');
  const onFolder = ["--data", site.dataDir, "--config", config];

  const plan = await report<PlanReport>(site, ["retention", "plan", ...onFolder]);
  expect(plan.rows.map(({ kind }) => kind)).toEqual(["total-size"]);
  expect(await report(site, ["retention", "plan", ...onFolder])).toEqual(plan); // it changed nothing
  expect(await report(site, ["prune", "--dry-run", ...onFolder])).toEqual(plan);

  const outcome = await report<PruneReport>(site, ["prune", ...onFolder]);
  expect(outcome.plan).toEqual(plan);
  expect({ batches: outcome.batches, bytes: outcome.bytes }).toEqual({
    batches: plan.batches,
    bytes: plan.bytes,
  });
  expect(outcome.diskBytesBefore - outcome.diskBytesAfter).toBeGreaterThanOrEqual(plan.bytes);
  expect(diskBytes(site)).toBeLessThan(1_200_000);

  const { port } = await site.startCollector(under({}));
  expect(await visibleLines(site, port)).toEqual(range(plan.records, 30_000));
});

test("a new policy takes its part out of what was compacted, as the plan says", async (context) => {
  onlyWhereAllAreWanted(context);
  await using site = new Site();
  {
    const { collector, port } = await site.startCollector(under({}));
    await shipped(site, port, 12_000, "app.log", "debug.log");
    const compacted = await report<CompactReport>(site, ["compact", ...site.asking(port)]);
    expect(compacted.before.batches).toBeGreaterThan(0);
    expect(compacted.after).toMatchObject({ batches: 0, segments: 1 });
    await collector.stop();
  }
  await delay(1_000); // the age of the lines is what is tested
  const config = join(site.dir, "collector.yaml");
  const rule = '{match: {source: "*/debug.log"}, keep: 1s}';
  writeFileSync(config, `retention: {min_free: "0B", rules: [${rule}]}`);
  const onFolder = ["--data", site.dataDir, "--config", config];
  const plan = await report<PlanReport>(site, ["retention", "plan", ...onFolder]);
  expect(plan).toMatchObject({ batches: 0, segments: 0, segmentParts: 1, records: 12_000 });
  const outcome = await report<PruneReport>(site, ["prune", ...onFolder]);
  expect(outcome.plan).toEqual(plan);
  expect(outcome.records).toBe(plan.records);
  expect(Math.abs(outcome.bytes - plan.bytes)).toBeLessThanOrEqual(plan.bytes * 0.05);
  const jobs = await report<{ kind: string }[]>(site, ["jobs", "--data", site.dataDir]);
  expect(jobs.map(({ kind }) => kind)).toEqual(["prune", "rewrite", "compact"]);

  const { port } = await site.startCollector(under({}));
  expect(await visibleLines(site, port)).toEqual(range(0, 12_000));
});

test("pruning while lines arrive loses none but the oldest, and ingest goes on", async (context) => {
  onlyWhereAllAreWanted(context);
  await using site = new Site();
  const { port } = await site.startCollector(under({ SLUICE_RETENTION_MAX_SIZE: "2MB" }));
  const file = join(site.logDir, "app.log");
  writeFileSync(file, "");
  const agent = await site.startAgent({ port, files: [file] });
  const random = new Prng(SEED);
  const prune = ["prune", ...site.asking(port)];
  let written = 0;
  let dropped = 0;
  let pruned = 0;
  const write = async (): Promise<void> => {
    for (let step = 0; step < 10; step++) {
      appendFileSync(file, [...numberedLines(random, written, 1_000)].join(""));
      written += 1_000;
      await delay(20); // a rate of lines, not a wait for one
    }
  };
  while (pruned < 4) {
    const [{ plan, batches, bytes }] = await Promise.all([
      report<PruneReport>(site, prune),
      write(),
    ]);
    expect({ batches, bytes }).toEqual({ batches: plan.batches, bytes: plan.bytes });
    dropped += plan.records;
    pruned += batches > 0 ? 1 : 0;
  }
  await untilStored(site, written);
  dropped += (await report<PruneReport>(site, prune)).plan.records;
  expect(dropped).toBeGreaterThan(0);
  expect(await visibleLines(site, port)).toEqual(range(dropped, written));
  expect(diskBytes(site)).toBeLessThan(2_400_000);
  expect(await agent.stop()).toEqual({ code: 0, signal: null });
  using data = StoredData.open(site.dataDir);
  expect({ records: data.records(), gaps: data.gaps() }).toEqual({ records: written, gaps: [] });
});

test("a folder that a collector runs on is not pruned behind its back", async () => {
  await using site = new Site();
  const { collector } = await site.startCollector(under({}));
  const config = join(site.dir, "collector.yaml");
  writeFileSync(config, "retention: {keep: 1s}");
  const args = ["prune", "--data", site.dataDir, "--config", config];
  const refused = await site.sluice(...args);
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain("a collector is running on");
  expect(refused.stderr).toContain("leave out --data");
  await collector.stop();
  expect((await site.sluice(...args)).code).toBe(0);
});

test("a folder is not pruned by a policy that nobody named", async () => {
  await using site = new Site();
  await filled(site, 10);
  const { code, stderr } = await site.sluice("prune", "--data", site.dataDir);
  expect(code).toBe(78);
  expect(stderr).toContain("--config");
});

test("an agent that went silent is listed, and the exit code says so", async () => {
  await using site = new Site();
  await filled(site, 10);
  const { port } = await site.startCollector(under({}));
  const silent = await site.sluice("agents", "--silent", "1ms", ...site.asking(port));
  expect(silent.code).toBe(1);
  expect(silent.stdout).toContain("test-host");
  expect((await site.sluice("agents", "--silent", "1h", ...site.asking(port))).code).toBe(0);
  expect((await site.sluice("agents", "--silent", "soon", ...site.asking(port))).code).toBe(2);
});

test("the metrics tell what was committed and pruned", async () => {
  await using site = new Site();
  await filled(site, 10);
  await delay(1_000); // the age of the lines is what is tested
  const { port, collector } = await site.startCollector(under({ SLUICE_RETENTION_KEEP: "1s" }));
  await collector.logged(({ msg }) => msg.startsWith("pruned "));
  const token = readFileSync(join(site.dataDir, "tokens/query.token"), "utf8").trim();
  const headers = { Authorization: `Bearer ${token}` };
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`, { headers })).text();
  expect(text).toContain("\nsluice_records_total 10\n");
  expect(text).toContain("\nsluice_prune_runs_total 1\n");
});
