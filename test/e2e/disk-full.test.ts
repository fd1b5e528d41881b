import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";

import { onlyWhereAllAreWanted } from "../src/long-test.ts";
import { runCommand } from "../src/command.ts";
import { Prng } from "../src/corpus/prng.ts";
import { eventually } from "../src/eventually.ts";
import { accountForLines } from "../src/kill/line-account.ts";
import { LogWriter } from "../src/log-writer.ts";
import { NumberedLines } from "../src/numbered-lines.ts";
import { Site } from "../src/site.ts";
import { mountingRefused, SmallVolume } from "../src/small-volume.ts";
import { StoredData } from "../src/stored.ts";

const REFUSED = mountingRefused();
const VOLUME_MIB = 64;
const WITHIN_MS = 15_000;

/** A 20th of the volume. */
const BALLAST_BYTES = 3_300_000;

/** Lines of 1 KB that compression makes a quarter smaller. */
const LINE_BYTES = 1_000;

/** Without a floor of retention's nothing is dropped: what was written must all be there. */
const KEEP_ALL = { wrapper: ["env", "SLUICE_RETENTION_MIN_FREE=0B"] };

interface Stats {
  readonly ingestPaused: string | null;
  readonly connectedAgents: number;
}

interface Job {
  readonly kind: string;
  readonly detail: string;
}

/** What the command line says of the running collector. */
async function ask<T>(site: Site, port: number, ...args: readonly string[]): Promise<T> {
  const { code, stdout, stderr } = await runCommand([
    process.execPath,
    site.product.collector,
    ...args,
    `--collector=http://127.0.0.1:${port}`,
    `--token-file=${join(site.dataDir, "tokens/query.token")}`,
  ]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return JSON.parse(stdout) as T;
}

async function metrics(site: Site, port: number): Promise<string> {
  const token = readFileSync(join(site.dataDir, "tokens/query.token"), "utf8").trim();
  const headers = { Authorization: `Bearer ${token}` };
  return (await fetch(`http://127.0.0.1:${port}/metrics`, { headers })).text();
}

function writerOn(site: Site): LogWriter {
  return new LogWriter({
    path: join(site.logDir, "app.log"),
    lines: new NumberedLines(0, LINE_BYTES),
    random: new Prng(7),
    rotateEvery: Number.POSITIVE_INFINITY,
  });
}

function problems(site: Site, writer: LogWriter): string[] {
  using data = StoredData.open(site.dataDir);
  return [
    ...accountForLines(writer.path, data.batches(writer.path), writer.lines, writer.written),
    ...data.gaps().map(({ cause }) => `a gap: ${cause}`),
  ];
}

async function untilPaused(site: Site): Promise<void> {
  const [collector] = site.services;
  await collector?.logged(({ msg }) => msg.startsWith("ingest paused: "));
}

async function untilRefused(site: Site, port: number): Promise<void> {
  await vi.waitFor(
    async () => expect(await metrics(site, port)).toContain("\nsluice_ingest_paused 1\n"),
    { timeout: WITHIN_MS },
  );
}

async function untilBallast(site: Site): Promise<void> {
  const bytes = (): number =>
    statSync(join(site.dataDir, "ballast"), { throwIfNoEntry: false })?.size ?? 0;
  await eventually(
    () => (bytes() >= BALLAST_BYTES ? true : undefined),
    WITHIN_MS,
    () => `the ballast has ${bytes()} bytes\n${site.logTails()}`,
  );
}

describe("a full volume", () => {
  test("takes the agents' credit, answers queries, and goes on when there is room", async (context) => {
    if (REFUSED !== undefined) context.skip(REFUSED);
    await using site = new Site();
    using volume = new SmallVolume(site.dataDir, VOLUME_MIB);
    volume.fill(24);
    const { collector, port } = await site.startCollector(KEEP_ALL);
    using writer = writerOn(site);
    await site.startAgent({ port, files: [writer.path] });
    // At a pace that leaves the guard, which looks each half second, more than one look on the way down.
    await writer.write(30_000, 4_000);
    await untilPaused(site);

    const stats = await ask<Stats>(site, port, "stats", "--json");
    expect(stats).toMatchObject({
      ingestPaused: expect.stringMatching(/free/),
      connectedAgents: 1,
    });
    expect(await metrics(site, port)).toContain("\nsluice_ingest_paused 1\n");
    const rows = await ask<object[]>(site, port, "query", "*", "-n", "5", "-o", "json");
    expect(rows).toHaveLength(5);
    expect(volume.freeMiB).toBeGreaterThan(0);

    volume.relieve();
    await site.untilStored(writer.written, WITHIN_MS);
    expect(problems(site, writer)).toEqual([]);
    expect((await ask<Stats>(site, port, "stats", "--json")).ingestPaused).toBeNull();
    const jobs = await ask<Job[]>(site, port, "jobs", "--json");
    const told = jobs.filter(({ kind }) => kind === "disk-guard").map(({ detail }) => detail);
    expect(told.at(-1)).toMatch(/^ingest paused: /);
    expect(told.at(0)).toMatch(/^ingest resumed after /);
    expect(collector.isRunning).toBe(true);
  });

  test("that another program filled to the last byte ends nothing, survives kill -9, and can be pruned", async (context) => {
    if (REFUSED !== undefined) context.skip(REFUSED);
    await using site = new Site();
    using volume = new SmallVolume(site.dataDir, VOLUME_MIB);
    const { collector, port } = await site.startCollector(KEEP_ALL);
    using writer = writerOn(site);
    const agent = await site.startAgent({ port, files: [writer.path] });
    await writer.write(25_000, 0);
    // What of a failed commit was on its way is sent again. Where the guard looks in the moments
    // between the filling and the commit, none is tried: then once more.
    const hasFailed = async (): Promise<boolean> =>
      (await metrics(site, port)).includes('sluice_stream_resets_total{reason="storage"} ');
    for (let tries = 0; tries < 5 && !(await hasFailed()); tries += 1) {
      volume.relieve();
      await site.untilStored(writer.written, WITHIN_MS);
      volume.fill(0);
      await writer.write(5_000, 0);
      await untilRefused(site, port);
    }
    expect(await hasFailed()).toBe(true);
    // Not a page: its token keeps what is removed on the disk for five minutes.
    const counted = await ask<object[]>(site, port, "query", "* | stats count()", "-o", "json");
    expect(counted).toHaveLength(1);
    expect(collector.isRunning).toBe(true);
    await collector.kill();
    await agent.stop();

    // Nobody makes room: what was stored is past its time now, and can be dropped even so.
    const again = await site.startCollector({
      wrapper: [...KEEP_ALL.wrapper, "SLUICE_RETENTION_KEEP=1s"],
    });
    await site.startAgent({ port: again.port, files: [writer.path] });
    await site.untilStored(writer.written, WITHIN_MS);
    using data = StoredData.open(site.dataDir);
    expect(data.gaps()).toEqual([]);
    expect(data.streams().map(({ nextSeq }) => nextSeq)).toEqual([writer.written]);
    expect(volume.freeMiB).toBeLessThan(0.7 * VOLUME_MIB);
  });

  test("is one that a collector starts on: its ballast makes that possible", async (context) => {
    if (REFUSED !== undefined) context.skip(REFUSED);
    await using site = new Site();
    using volume = new SmallVolume(site.dataDir, VOLUME_MIB);
    const { collector } = await site.startCollector(KEEP_ALL);
    await untilBallast(site);
    await collector.stop();
    volume.fill(0);
    const again = await site.startCollector(KEEP_ALL);
    using writer = writerOn(site);
    await site.startAgent({ port: again.port, files: [writer.path] });
    await writer.write(20_000, 0);
    const stats = await ask<Stats>(site, again.port, "stats", "--json");
    expect(stats.ingestPaused).toMatch(/free/);
    volume.relieve();
    await site.untilStored(writer.written, WITHIN_MS);
    expect(problems(site, writer)).toEqual([]);
    await untilBallast(site);
  });

  test("is kept from being one by retention, with ingest going on", async (context) => {
    onlyWhereAllAreWanted(context);
    if (REFUSED !== undefined) context.skip(REFUSED);
    await using site = new Site();
    using volume = new SmallVolume(site.dataDir, VOLUME_MIB);
    const { collector, port } = await site.startCollector({
      wrapper: ["env", "SLUICE_RETENTION_MIN_FREE=25%"],
    });
    using writer = writerOn(site);
    await site.startAgent({ port, files: [writer.path] });
    await writer.write(90_000, 2_000);
    await site.untilStored(writer.written, WITHIN_MS);
    expect(collector.isRunning).toBe(true);
    const jobs = await ask<Job[]>(site, port, "jobs", "--json");
    expect(jobs.some(({ kind }) => kind === "prune")).toBe(true);
    using data = StoredData.open(site.dataDir);
    expect(data.gaps()).toEqual([]);
    await eventually(
      () => (volume.freeMiB > 0.2 * VOLUME_MIB ? true : undefined),
      WITHIN_MS,
      () => `${volume.freeMiB} MiB are free\n${site.logTails()}`,
    );
  });
});
