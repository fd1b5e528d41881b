import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { type CommandResult, runCommand } from "../command.ts";
import { ServiceProcess } from "../process.ts";
import { PRODUCT } from "../product.ts";
import { StoredData } from "../stored.ts";

/** Where a collector of these tests is: on loopback, or in a network of its own. */
export interface Place {
  /** Command and arguments to run under, such as `ip netns exec NAME`. */
  readonly wrapper: readonly string[];
  /** What it listens on, and how agents reach it. */
  readonly address: string;
}

export const LOOPBACK: Place = { wrapper: [], address: "127.0.0.1" };

export interface Enrolment {
  readonly id: string;
  readonly token: string;
  readonly url: string;
  readonly lines: { readonly install: string; readonly read: string };
}

/** A collector with TLS as `sluice init` sets it up. Disposal kills it. */
export class SecureCollector implements AsyncDisposable {
  readonly dir: string;
  readonly dataDir: string;
  readonly configFile: string;
  readonly productsDir: string;
  readonly place: Place;
  readonly #services: ServiceProcess[] = [];
  #port = 0;
  adminToken = "";
  fingerprint = "";

  private constructor(dir: string, place: Place) {
    this.dir = dir;
    this.place = place;
    this.dataDir = join(dir, "data");
    this.configFile = join(dir, "collector.yaml");
    this.productsDir = join(dir, "products");
  }

  /** Sets one up in a folder of its own, and starts it. */
  static async start(dir: string, place: Place = LOOPBACK): Promise<SecureCollector> {
    const collector = new SecureCollector(dir, place);
    mkdirSync(collector.productsDir, { recursive: true });
    const { configFile, dataDir, productsDir } = collector;
    const flags = `--config ${configFile} --data-dir ${dataDir} --products-dir ${productsDir}`;
    const reached = `--listen ${place.address}:0 --name ${place.address}`;
    const made = await collector.sluice("init", "--json", ...`${flags} ${reached}`.split(" "));
    if (made.code !== 0) {
      throw new Error(`sluice init failed: ${made.stderr}`);
    }
    const report = JSON.parse(made.stdout) as { adminToken: string; fingerprint: string };
    collector.adminToken = report.adminToken;
    collector.fingerprint = report.fingerprint;
    await collector.serve();
    return collector;
  }

  /** Starts it, again on the port that it had. */
  async serve(...flags: readonly string[]): Promise<ServiceProcess> {
    const listen = ["--listen", `${this.place.address}:${this.#port}`];
    const command = [process.execPath, PRODUCT.collector, "serve", "--config", this.configFile];
    const [program = "", ...args] = [...this.place.wrapper, ...command, ...listen, ...flags];
    const service = new ServiceProcess("collector", program, args);
    this.#services.push(service);
    const { fields } = await service.ready();
    this.#port = Number(String(fields["listen"]).split(":").at(-1));
    return service;
  }

  get service(): ServiceProcess {
    const service = this.#services.at(-1);
    if (service === undefined) throw new Error("the collector was not started");
    return service;
  }

  get url(): string {
    return `wss://${this.place.address}:${this.#port}`;
  }

  get caFile(): string {
    return join(this.dataDir, "tls/ca.pem");
  }

  /** Everything that its runs have logged. */
  get logText(): string {
    return this.#services.flatMap(({ log }) => log.map(({ text }) => text)).join("\n");
  }

  /** Runs a command of the collector's on its own machine, as its administrator. */
  sluice(...args: readonly string[]): Promise<CommandResult> {
    return runCommand([...this.place.wrapper, process.execPath, PRODUCT.collector, ...args], {
      SLUICE_CONTEXT: join(this.dataDir, "local.json"),
    });
  }

  /** The same, of a command that has to succeed; its JSON. */
  async json(...args: readonly string[]): Promise<unknown> {
    const { code, stdout, stderr } = await this.sluice(...args, "--json");
    if (code !== 0) {
      throw new Error(`sluice ${args.join(" ")} failed (${code}): ${stderr}`);
    }
    return JSON.parse(stdout);
  }

  async enrolment(...flags: readonly string[]): Promise<Enrolment> {
    return (await this.json("enroll", "new", ...flags)) as Enrolment;
  }

  stored(): number {
    using data = StoredData.open(this.dataDir);
    return data.records();
  }

  keyFile(): string {
    return readFileSync(join(this.dataDir, "keys.json"), "utf8");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#services.map((service) => service[Symbol.asyncDispose]()));
  }
}
