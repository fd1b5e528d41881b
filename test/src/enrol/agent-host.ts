import { appendFileSync, cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { type CommandResult, runCommand } from "../command.ts";
import { ServiceProcess } from "../process.ts";
import { PRODUCT } from "../product.ts";

export interface HostWish {
  /** Its folder; made where it is missing. */
  readonly dir: string;
  readonly name: string;
  readonly collector: string;
  /** The authority in its `tls.ca_file`; undefined leaves it out. */
  readonly caFile?: string | undefined;
  /** Command and arguments to run under, such as `ip netns exec NAME`. */
  readonly wrapper?: readonly string[];
}

/** A host with an agent: its configuration, its log file, its commands. Disposal kills what runs. */
export class AgentHost implements AsyncDisposable {
  readonly dir: string;
  readonly stateDir: string;
  readonly keyFile: string;
  readonly logFile: string;
  readonly configFile: string;
  readonly wish: HostWish;
  readonly #services: ServiceProcess[] = [];

  constructor(wish: HostWish) {
    const { dir, name, collector, caFile } = wish;
    this.wish = wish;
    this.dir = dir;
    this.stateDir = join(dir, "state");
    this.keyFile = join(this.stateDir, "agent.key");
    this.logFile = join(dir, "app.log");
    this.configFile = join(dir, "agent.yaml");
    mkdirSync(dir, { recursive: true });
    // JSON is YAML.
    const config = {
      collector,
      token_file: this.keyFile,
      state_dir: this.stateDir,
      host: name,
      ...(caFile !== undefined && { tls: { ca_file: caFile } }),
      sources: [{ file: this.logFile, start: "beginning" }],
    };
    writeFileSync(this.configFile, JSON.stringify(config));
  }

  /** The same configuration, on a copy of the state folder: what a cloned machine is. */
  clone(dir: string, collector: string = this.wish.collector): AgentHost {
    const copy = new AgentHost({ ...this.wish, dir, collector });
    cpSync(this.stateDir, copy.stateDir, { recursive: true, filter: isNoSocket });
    return copy;
  }

  enroll(token: string, ...flags: readonly string[]): Promise<CommandResult> {
    return runCommand(this.#command("enroll", ...flags), {}, `${token}\n`);
  }

  doctor(): Promise<CommandResult> {
    return runCommand(this.#command("doctor"));
  }

  run(): ServiceProcess {
    const [program = "", ...args] = this.#command("run");
    const service = new ServiceProcess("agent", program, args);
    this.#services.push(service);
    return service;
  }

  /** The newest run of its agent. */
  get service(): ServiceProcess {
    const service = this.#services.at(-1);
    if (service === undefined) throw new Error("its agent was not started");
    return service;
  }

  write(...lines: readonly string[]): void {
    appendFileSync(this.logFile, lines.map((line) => `${line}\n`).join(""));
  }

  get key(): string {
    return readFileSync(this.keyFile, "utf8").trim();
  }

  get logText(): string {
    return this.#services.flatMap(({ log }) => log.map(({ text }) => text)).join("\n");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#services.map((service) => service[Symbol.asyncDispose]()));
  }

  #command(name: string, ...flags: readonly string[]): string[] {
    const { wrapper = [] } = this.wish;
    const own = [process.execPath, PRODUCT.agent, name, "--config", this.configFile];
    return [...wrapper, ...own, ...flags];
  }
}

function isNoSocket(path: string): boolean {
  return !path.endsWith(".sock");
}
