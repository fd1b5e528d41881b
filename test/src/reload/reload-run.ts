import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { Prng } from "../corpus/prng.ts";
import { accountForLines } from "../kill/line-account.ts";
import { LogWriter } from "../log-writer.ts";
import { NumberedLines } from "../numbered-lines.ts";
import type { ServiceProcess } from "../process.ts";
import { Site } from "../site.ts";
import { StoredData } from "../stored.ts";

export interface ReloadRun {
  readonly reloads: number;
  /** Written to each of two files meanwhile. */
  readonly linesPerReload: number;
  readonly seed: number;
}

export interface ReloadOutcome {
  /** What is wrong, in sentences. */
  readonly problems: readonly string[];
  readonly lines: number;
  /** Times that the collector opened the two files' streams anew. */
  readonly epochs: number;
}

const TAKEN_UP = "the configuration was read again and is in force";
const REFUSED = "the configuration stays as it was";

/** The writers are at work for twice as long; a reload comes somewhere in the first half. */
const PAUSE_MS = 40;

const LINES_AFTER = 20;

/**
 * Reloads an agent under load again and again, each time with another configuration: what is made
 * of the bytes, who reads a file, and whether it is read at all changes. Each line is to be stored
 * once, in order.
 */
export async function runReloads(run: ReloadRun): Promise<ReloadOutcome> {
  await using site = new Site();
  const { port } = await site.startCollector();
  const random = new Prng(run.seed);
  using first = createWriter(site, "app.log", 0, random);
  using second = createWriter(site, "other.log", 1, random);
  const config = join(site.dir, "reloaded.yaml");
  const write = (sources: unknown): void =>
    writeFileSync(
      config,
      JSON.stringify({
        collector: `ws://127.0.0.1:${port}`,
        token_file: join(site.dataDir, "tokens/ingest.token"),
        state_dir: site.stateDir,
        host: "test-host",
        sources,
      }),
    );
  const variants = sourceVariants(site.logDir);
  write(variants[0]);
  const agent = site.launchAgentWith(config);
  await agent.ready();
  const writers = [first, second];
  const written = (): number => first.written + second.written;
  for (let reload = 1; reload <= run.reloads; reload++) {
    const writing = writers.map((writer) => writer.write(run.linesPerReload, 2 * PAUSE_MS));
    await delay(random.below(PAUSE_MS));
    const sources = variants[reload % variants.length];
    write(sources);
    await reloaded(agent, sources !== undefined);
    await Promise.all(writing);
    // Lines that are read under these settings, however long the reload took.
    await first.write(LINES_AFTER, 0);
    await site.untilStored(Math.min(storedIn(site) + 1, written()));
  }
  write(variants[0]);
  await reloaded(agent, true);
  await site.untilStored(written());
  const unseen: string[] = [];
  for (const attribute of ["variant:1", "variant:5"]) {
    // A reload that changes nothing would store every line once, too.
    const { code } = await site.sluice("query", attribute, "-n", "1", ...site.asking(port));
    if (code !== 0) unseen.push(`no record has ${attribute}: that reload had no effect`);
  }
  using data = StoredData.open(site.dataDir);
  return {
    problems: [
      ...unseen,
      ...writers.flatMap((writer) =>
        accountForLines(writer.path, data.batches(writer.path), writer.lines, writer.written),
      ),
      ...data.gaps().map(({ cause, source }) => `a gap in ${source}: ${cause}`),
    ],
    lines: written(),
    epochs: data.streams().reduce((sum, { epoch }) => sum + epoch, 0),
  };
}

/** The first of them reads both files; undefined stands for what no agent can take up. */
function sourceVariants(logDir: string): readonly unknown[] {
  const app = join(logDir, "app.log");
  const other = join(logDir, "other.log");
  const start = "beginning";
  return [
    [{ file: [app, other], start }],
    // Record by record from here on, where it was by the block before.
    [{ file: [app, other], start, attributes: { variant: "1" } }],
    [{ file: [app, other], start: "end", labels: { variant: "2" } }],
    // The files change hands.
    [{ file: join(logDir, "*.log"), start: "end" }],
    undefined,
    [
      { file: other, start: "end", attributes: { variant: "5" } },
      { file: app, start: "end" },
    ],
    // One of them is not read for a while.
    [{ file: app, start: "end" }],
  ];
}

/** A reload that is taken up connects anew. */
async function reloaded(agent: ServiceProcess, isValid: boolean): Promise<void> {
  const told = agent.loggedNext(({ msg }) => msg.startsWith(isValid ? TAKEN_UP : REFUSED));
  const connected = isValid ? agent.loggedNext(({ msg }) => msg === "connected") : undefined;
  agent.signal("SIGHUP");
  await Promise.all([told, connected]);
}

function storedIn(site: Site): number {
  using data = StoredData.open(site.dataDir);
  return data.records();
}

function createWriter(site: Site, name: string, file: number, random: Prng): LogWriter {
  return new LogWriter({
    path: join(site.logDir, name),
    lines: new NumberedLines(file, 100),
    random,
    rotateEvery: 5_000,
  });
}
