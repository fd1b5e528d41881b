import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { gunzipSync } from "node:zlib";

import { runCommand } from "../command.ts";
import { Prng } from "../corpus/prng.ts";
import { accountForLines } from "../kill/line-account.ts";
import { NumberedLines } from "../numbered-lines.ts";
import { LOG_LEVEL_ERROR } from "../process.ts";
import type { Product } from "../product.ts";
import { type StoredGeneration, storedGenerations } from "../rotation/stored-generations.ts";
import { Site } from "../site.ts";
import { untilNothingIsLeft } from "../stored-progress.ts";
import { accountForCuts, type CutAccount } from "./cut-account.ts";
import type { LeftFile } from "./destroyed-bytes.ts";
import { POLICIES, renderPolicy, type RotationPolicy } from "./rotation-policy.ts";
import { WriterProcess } from "./writer-process.ts";

const LOGROTATE = "/usr/sbin/logrotate";
const MEAN_LINE_BYTES = 120;
const LF = 0x0a;

/** Why logrotate cannot be run; undefined where it can. */
export function logrotateRefused(): string | undefined {
  return existsSync(LOGROTATE) ? undefined : "logrotate is not installed";
}

export interface LogrotateOptions {
  readonly product: Product;
  readonly seed: number;
  /** Of each log. */
  readonly rotations: number;
  /** From one rotation of all logs to the next, at most; drawn anew each time. */
  readonly pauseMs: number;
  /** Of each log. */
  readonly linesPerSecond: number;
}

interface PolicyVerdict {
  readonly policy: RotationPolicy;
  readonly written: number;
  readonly generations: number;
  /** Of a log that is cut. */
  readonly cuts: CutAccount | undefined;
  readonly problems: readonly string[];
}

export interface LogrotateReport {
  readonly verdicts: readonly PolicyVerdict[];
  readonly seconds: number;
  readonly problems: readonly string[];
}

/** A log with what is known of it from the outside. */
interface RotatedByPolicy {
  readonly policy: RotationPolicy;
  readonly path: string;
  readonly config: string;
  readonly lines: NumberedLines;
}

/** Has logrotate rotate one log by each policy while all of them are written to and shipped. */
export async function runLogrotate(options: LogrotateOptions): Promise<LogrotateReport> {
  const startMs = performance.now();
  await using site = new Site(options.product);
  const logs = POLICIES.map((policy, file) => prepare(site, policy, file));
  const { collector, port } = await site.startCollector();
  const agent = await site.startAgent({ port, files: [join(site.logDir, "*/app.log")] });
  using writer = await WriterProcess.start({
    logs: logs.map(({ path }, file) => ({ path, file })),
    meanLineBytes: MEAN_LINE_BYTES,
    linesPerSecond: options.linesPerSecond,
  });
  for (const { policy, path, config } of logs) {
    writeFileSync(config, renderPolicy(policy, path, writer.pid));
  }
  const problems = await rotate(site, logs, options);
  const written = await writer.stop();
  const left = await untilNothingIsLeft(site.dataDir, (data) => {
    const unfinished = data.unfinished();
    return logs.filter(({ path }) => {
      const newest = data.streams().findLast(({ source }) => source === path);
      return unfinished.get(path) !== 1 || newest?.records !== linesIn(readFileSync(path));
    });
  });
  problems.push(...left.map(({ path }) => `${path}: not all that is in it is stored, or its end`));
  await agent.stop();
  await collector.stop();
  for (const { name, log } of site.services) {
    const errors = log.filter(({ level }) => level >= LOG_LEVEL_ERROR);
    problems.push(...errors.map(({ text }) => `the ${name} logged: ${text.slice(0, 400)}`));
  }
  const verdicts: PolicyVerdict[] = [];
  for await (const { source, generations } of storedGenerations(site.product, site.dataDir)) {
    const index = logs.findIndex(({ path }) => path === source);
    const log = logs[index];
    if (log !== undefined) verdicts.push(judge(log, written[index] ?? 0, generations));
  }
  return { verdicts, seconds: (performance.now() - startMs) / 1000, problems };
}

function prepare(site: Site, policy: RotationPolicy, file: number): RotatedByPolicy {
  const path = join(site.logDir, policy.name, "app.log");
  mkdirSync(dirname(path));
  writeFileSync(path, "");
  const config = join(site.dir, `${policy.name}.conf`);
  return { policy, path, config, lines: new NumberedLines(file, MEAN_LINE_BYTES) };
}

async function rotate(
  site: Site,
  logs: readonly RotatedByPolicy[],
  { seed, rotations, pauseMs }: LogrotateOptions,
): Promise<string[]> {
  const random = new Prng(seed);
  const problems: string[] = [];
  for (let rotation = 0; rotation < rotations; rotation++) {
    await delay(random.below(pauseMs));
    for (const { policy, config } of logs) {
      const state = join(site.dir, `${policy.name}.state`);
      const { code, stderr } = await runCommand([LOGROTATE, "-f", "-s", state, config]);
      if (code !== 0) problems.push(`logrotate of ${policy.name} ended with ${code}: ${stderr}`);
    }
  }
  return problems;
}

function judge(
  { policy, path, lines }: RotatedByPolicy,
  written: number,
  generations: readonly StoredGeneration[],
): PolicyVerdict {
  const common = { policy, written, generations: generations.length };
  if (policy.cuts) {
    const files = filesOf(dirname(path));
    const cuts = accountForCuts({ lines, written, files }, generations);
    return { ...common, cuts, problems: cuts.problems.map((text) => `${policy.name}: ${text}`) };
  }
  const problems = [
    ...accountForLines(
      policy.name,
      generations.map(({ bytes }) => linesOf(bytes)),
      lines,
      written,
    ),
    ...generations.flatMap(({ generation, gaps }) =>
      gaps.map(({ cause, range }) => {
        const what = `${cause}, ${JSON.stringify(range)}`;
        return `${policy.name}: generation ${generation} has a gap (${what})`;
      }),
    ),
  ];
  return { ...common, cuts: undefined, problems };
}

/** The log and its rotated files, which logrotate was told to keep all of. */
function filesOf(folder: string): LeftFile[] {
  return readdirSync(folder).map((name) => {
    const bytes = readFileSync(join(folder, name));
    return { name, bytes: name.endsWith(".gz") ? gunzipSync(bytes) : bytes };
  });
}

function linesOf(bytes: Buffer): Buffer[] {
  const lines: Buffer[] = [];
  for (let from = 0; from < bytes.length;) {
    const end = bytes.indexOf(LF, from) + 1;
    lines.push(bytes.subarray(from, end === 0 ? bytes.length : end));
    from = end === 0 ? bytes.length : end;
  }
  return lines;
}

function linesIn(bytes: Buffer): number {
  return linesOf(bytes).length;
}
