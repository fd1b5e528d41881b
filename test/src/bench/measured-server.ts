import { existsSync } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import { Child } from "./child.ts";
import { folderBytes } from "./folder-bytes.ts";
import { freePort } from "./free-port.ts";
import type { HeavyQueries } from "./heavy-queries.ts";
import { processUsage } from "./process-usage.ts";
import { median, quantile } from "./quantile.ts";
import type { Measurement } from "./report.ts";
import type { SteadyLoad } from "./steady-load.ts";

const LINE_EVERY_MS = 10_000;

/** The command that users start, with what it tells Node and the C library of memory. */
const SLUICE = fileURLToPath(new URL("../../../sluice", import.meta.url));
const PRELOAD = new URL("./loop-preload.js", import.meta.url).href;

/** `sluice serve` as a process of its own, looked at from outside while something goes on. */
export class MeasuredServer implements AsyncDisposable {
  readonly url: string;
  readonly #child: Child;
  readonly #dataDir: string;
  readonly #loopFile: string;
  #loopLines = 0;

  private constructor(child: Child, url: string, folder: string) {
    this.#child = child;
    this.url = url;
    this.#dataDir = join(folder, "data");
    this.#loopFile = join(folder, "loop");
  }

  static async start(folder: string, keptBytes: number): Promise<MeasuredServer> {
    const listen = `127.0.0.1:${await freePort()}`;
    const data = ["--data-dir", join(folder, "data"), "--retention-max-size", String(keptBytes)];
    const child = await Child.startProgram(SLUICE, ["serve", "--listen", listen, ...data], {
      NODE_OPTIONS: `--import=${PRELOAD}`,
      SLUICE_BENCH_LOOP: join(folder, "loop"),
    });
    return new MeasuredServer(child, `http://${listen}`, folder);
  }

  async token(role: "ingest" | "query"): Promise<string> {
    return (await readFile(join(this.#dataDir, "tokens", `${role}.token`), "utf8")).trim();
  }

  /** What is seen of the server for so long; says every ten seconds how it does. */
  async phase(
    name: string,
    load: SteadyLoad,
    lastsMs: number,
    queries?: HeavyQueries,
  ): Promise<Measurement> {
    await this.#loopSamples();
    const startedMs = performance.now();
    const startBytes = load.sentBytes;
    const answered = queries?.tookMs.length ?? 0;
    let largestHead = 0;
    for (let lineMs = startedMs; performance.now() - startedMs < lastsMs;) {
      await sleep(Math.min(1000, lastsMs));
      if (load.failure !== undefined) throw load.failure;
      if (!this.#child.isRunning) throw new Error("the collector ended");
      const headMB = (await this.#fileBytes("head.db")) / 1e6;
      largestHead = Math.max(largestHead, headMB);
      if (performance.now() - lineMs >= LINE_EVERY_MS) {
        lineMs = performance.now();
        const wal = (await this.#fileBytes("head.db-wal")) / 1e6;
        const all = (await folderBytes(this.#dataDir).catch(() => Number.NaN)) / 1e6;
        const rate = (load.sentBytes - startBytes) / 1e3 / (lineMs - startedMs);
        process.stderr.write(
          `${name}: in ${rate.toFixed(0)} MB/s, head ${headMB.toFixed(0)} MB, WAL ${wal.toFixed(0)} MB, all ${all.toFixed(0)} MB\n`,
        );
      }
    }
    const tookMs = performance.now() - startedMs;
    const late = await this.#loopSamples();
    const answers = queries?.tookMs.slice(answered) ?? [];
    return {
      name,
      seconds: tookMs / 1000,
      "MB/s in": (load.sentBytes - startBytes) / 1e3 / tookMs,
      "loop p50 ms": median(late),
      "loop p99 ms": quantile(late, 0.99),
      "loop max ms": quantile(late, 1),
      "RSS MiB": processUsage(this.#child.pid).peakRssBytes / 2 ** 20,
      "head at most, MB": largestHead,
      resets: load.resets,
      ...(queries !== undefined && {
        "queries answered": answers.length,
        "queries failed": queries.failures,
        "query p50 s": median(answers) / 1000,
        ...(queries.failure !== undefined && { "last failure": queries.failure }),
      }),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#child[Symbol.asyncDispose]();
  }

  /** How late the server's timers have been since the last call, in milliseconds. */
  async #loopSamples(): Promise<readonly number[]> {
    if (!existsSync(this.#loopFile)) return [];
    const lines = (await readFile(this.#loopFile, "utf8")).trimEnd().split("\n");
    const fresh = lines.slice(this.#loopLines);
    this.#loopLines = lines.length;
    return fresh.flatMap((line) => JSON.parse(line) as number[]);
  }

  async #fileBytes(name: string): Promise<number> {
    return await stat(join(this.#dataDir, name)).then(
      ({ size }) => size,
      () => 0,
    );
  }
}
