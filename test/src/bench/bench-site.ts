import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { Child } from "./child.ts";
import { freePort } from "./free-port.ts";

/** The commands that users start, with what they tell Node and the C library of memory. */
const SLUICE = fileURLToPath(new URL("../../../sluice", import.meta.url));
const SLUICE_AGENT = fileURLToPath(new URL("../../../sluice-agent", import.meta.url));

/** A folder with logs, and a collector and an agent on it, each as a process of its own. */
export class BenchSite implements AsyncDisposable {
  readonly logDir: string;
  readonly dataDir: string;
  readonly #folder: string;
  readonly #port: number;
  #collector: Child | undefined;
  #agents: Child[] = [];

  private constructor(folder: string, port: number) {
    this.#folder = folder;
    this.#port = port;
    this.logDir = join(folder, "logs");
    this.dataDir = join(folder, "data");
  }

  static async create(): Promise<BenchSite> {
    const folder = await mkdtemp(join(tmpdir(), "sluice-bench-"));
    const site = new BenchSite(folder, await freePort());
    await mkdir(site.logDir);
    return site;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** @throws where none runs */
  get collectorPid(): number {
    if (this.#collector === undefined) throw new Error("no collector runs");
    return this.#collector.pid;
  }

  /** Again at the same address where there was one before. */
  async startCollector(): Promise<void> {
    const args = ["serve", "--listen", `127.0.0.1:${this.#port}`, "--data-dir", this.dataDir];
    this.#collector = await Child.startProgram(SLUICE, args, {});
  }

  async stopCollector(): Promise<void> {
    const collector = this.#collector;
    this.#collector = undefined;
    await collector?.[Symbol.asyncDispose]();
  }

  /**
   * An agent with a state of its own, from the files' beginning.
   *
   * @param file a glob
   */
  async startAgent(file: string): Promise<Child> {
    const name = `agent-${this.#agents.length}`;
    const config = join(this.#folder, `${name}.yaml`);
    // JSON is YAML.
    await writeFile(
      config,
      JSON.stringify({
        collector: `ws://127.0.0.1:${this.#port}`,
        token_file: join(this.dataDir, "tokens/ingest.token"),
        state_dir: join(this.#folder, name),
        sources: [{ file, start: "beginning" }],
      }),
    );
    const agent = await Child.startProgram(SLUICE_AGENT, ["run", "--config", config], {});
    this.#agents.push(agent);
    return agent;
  }

  /** A command line that follows what arrives. */
  tailCommand(filter: string): readonly string[] {
    const tokenFile = join(this.dataDir, "tokens/query.token");
    const target = ["--collector", `http://127.0.0.1:${this.#port}`, "--token-file", tokenFile];
    return [SLUICE, "tail", "-n", "0", "-o", "raw", ...target, filter];
  }

  /** @throws where a process has ended by itself */
  check(): void {
    if ([this.#collector, ...this.#agents].some((child) => child?.isRunning === false)) {
      throw new Error("a process of the benchmark ended early");
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const agent of this.#agents) await agent[Symbol.asyncDispose]();
    await this.stopCollector();
    await rm(this.#folder, { recursive: true });
  }
}
