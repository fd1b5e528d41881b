import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { type CommandResult, runCommand } from "./command.ts";
import { eventually } from "./eventually.ts";
import { ServiceProcess } from "./process.ts";
import { PRODUCT, type Product } from "./product.ts";
import { StoredData } from "./stored.ts";

export interface AgentStart {
  /** Where the collector is, as the agent sees it: a chaos proxy's port, or the collector's own. */
  readonly port: number;
  /** One source of files. */
  readonly files?: readonly string[];
  readonly start?: "beginning" | "end";
  /** Further sources, as the configuration has them. */
  readonly sources?: readonly object[];
  /** A second agent of the same site has a state folder of its own. */
  readonly stateDir?: string;
  /** Command and arguments to run the agent under, such as strace's. */
  readonly wrapper?: readonly string[];
}

export interface CollectorStart {
  /** Command and arguments to run the collector under, such as strace's. */
  readonly wrapper?: readonly string[];
  /** Default: a free one. */
  readonly port?: number;
}

/**
 * A folder with a data folder, a state folder and logs, and the processes that a test runs on
 * them. Disposal kills what still runs and removes the folder.
 */
export class Site implements AsyncDisposable {
  readonly dir: string;
  readonly dataDir: string;
  readonly stateDir: string;
  readonly logDir: string;
  readonly product: Product;
  readonly #services: ServiceProcess[] = [];
  #configs = 0;

  constructor(product: Product = PRODUCT) {
    this.product = product;
    this.dir = mkdtempSync(join(tmpdir(), "sluice-site-"));
    this.dataDir = join(this.dir, "data");
    this.stateDir = join(this.dir, "state");
    this.logDir = join(this.dir, "logs");
    mkdirSync(this.logDir);
  }

  /** Every service that ran here, the ended ones included, in the order of their starts. */
  get services(): readonly ServiceProcess[] {
    return this.#services;
  }

  /** Starts the collector, on a free port of its own choice where none is given. */
  async startCollector({ wrapper = [], port: wanted = 0 }: CollectorStart = {}): Promise<{
    readonly collector: ServiceProcess;
    readonly port: number;
  }> {
    const args = ["serve", "--listen", `127.0.0.1:${wanted}`, "--data-dir", this.dataDir];
    const [command, ...rest] = [...wrapper, process.execPath, this.product.collector, ...args];
    const collector = this.#run("collector", command ?? process.execPath, rest);
    const { fields } = await collector.ready();
    const port = Number(String(fields["listen"]).split(":").at(-1));
    return { collector, port };
  }

  /** Runs the collector's command line to its end. */
  sluice(...args: readonly string[]): Promise<CommandResult> {
    return runCommand([process.execPath, this.product.collector, ...args]);
  }

  /** Flags that ask the running collector. */
  asking(port: number): readonly string[] {
    const tokenFile = join(this.dataDir, "tokens/query.token");
    return ["--collector", `http://127.0.0.1:${port}`, "--token-file", tokenFile];
  }

  /** Starts an agent; resolves when it is ready, which does not say that it is connected. */
  async startAgent(start: AgentStart): Promise<ServiceProcess> {
    const agent = this.launchAgent(start);
    await agent.ready();
    return agent;
  }

  /** Starts an agent that may refuse to run. */
  launchAgent({
    port,
    files,
    start = "beginning",
    sources = [],
    stateDir = this.stateDir,
    wrapper = [],
  }: AgentStart): ServiceProcess {
    const config = join(this.dir, `agent-${this.#configs++}.yaml`);
    // JSON is YAML.
    writeFileSync(
      config,
      JSON.stringify({
        collector: `ws://127.0.0.1:${port}`,
        token_file: join(this.dataDir, "tokens/ingest.token"),
        state_dir: stateDir,
        host: "test-host",
        sources: [...(files === undefined ? [] : [{ file: files, start }]), ...sources],
      }),
    );
    return this.launchAgentWith(config, wrapper);
  }

  /** Starts an agent on a configuration file of the test's own. */
  launchAgentWith(config: string, wrapper: readonly string[] = []): ServiceProcess {
    const args = [process.execPath, this.product.agent, "run", "--config", config];
    const [command, ...rest] = [...wrapper, ...args];
    return this.#run("agent", command ?? process.execPath, rest);
  }

  /** Runs a command of the agent to its end. */
  sluiceAgent(...args: readonly string[]): Promise<CommandResult> {
    return runCommand([process.execPath, this.product.agent, ...args]);
  }

  /** Resolves when the collector has stored this many lines, of all sources together. */
  async untilStored(lines: number, withinMs = 30_000): Promise<void> {
    const stored = (): number => {
      using data = StoredData.open(this.dataDir);
      return data.records();
    };
    await eventually(
      () => (stored() >= lines ? true : undefined),
      withinMs,
      () => `${stored()} of ${lines} lines are stored\n${this.logTails()}`,
    );
  }

  /** Resolves when the collector has stored the end of this many streams. */
  async untilFinished(streams: number): Promise<void> {
    const finished = (): number => {
      using data = StoredData.open(this.dataDir);
      return data.finished();
    };
    await eventually(
      () => (finished() >= streams ? true : undefined),
      30_000,
      () => `${finished()} of ${streams} streams are finished\n${this.logTails()}`,
    );
  }

  /** The last lines of the last services' logs, for the message of a failure. */
  logTails(): string {
    return this.#services
      .slice(-4)
      .flatMap(({ name, log }) => log.slice(-12).map(({ text }) => `${name}: ${text}`))
      .join("\n");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#services.map((service) => service[Symbol.asyncDispose]()));
    await rm(this.dir, { recursive: true, force: true });
  }

  #run(name: string, command: string, args: readonly string[]): ServiceProcess {
    const service = new ServiceProcess(name, command, args);
    this.#services.push(service);
    return service;
  }
}
