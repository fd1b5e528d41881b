import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

import type { CommandResult } from "../command.ts";
import { eventually } from "../eventually.ts";
import { AgentHost } from "./agent-host.ts";
import { CommandLineWatch } from "./command-line-watch.ts";
import { LOOPBACK, type Place, SecureCollector } from "./secure-collector.ts";

/** What was tried, what was said to it, and what is wrong with that; no problem is what should be. */
export interface Refusal {
  readonly attempt: string;
  readonly said: string;
  readonly problem: string | undefined;
}

export interface RefusalPlaces {
  readonly collector: Place;
  /** Where agents are. */
  readonly host: Pick<Place, "wrapper">;
  /** Where somebody else is, with a certificate of an authority of their own. */
  readonly stranger: Place;
  /**
   * Puts the stranger where agents expect the collector; until then they reach the collector.
   * Undefined: agents are given the stranger's address instead.
   */
  readonly intrude: (() => void) | undefined;
}

export const ON_LOOPBACK: RefusalPlaces = {
  collector: LOOPBACK,
  host: LOOPBACK,
  stranger: LOOPBACK,
  intrude: undefined,
};

/** A collector and hosts that try to be let in, and what each was told. Disposal ends what runs. */
export class RefusalSite implements AsyncDisposable {
  readonly dir: string;
  readonly places: RefusalPlaces;
  readonly collector: SecureCollector;
  readonly refusals: Refusal[] = [];
  readonly #secrets: string[] = [];
  readonly #commandLines: CommandLineWatch;
  readonly #stack = new AsyncDisposableStack();
  readonly #logs: (() => string)[] = [];

  private constructor(dir: string, places: RefusalPlaces, collector: SecureCollector) {
    this.dir = dir;
    this.places = places;
    this.collector = this.watch(collector);
    this.#commandLines = this.#stack.use(new CommandLineWatch([]));
  }

  static async open(dir: string, places: RefusalPlaces): Promise<RefusalSite> {
    const collector = await SecureCollector.start(join(dir, "collector"), places.collector);
    return new RefusalSite(dir, places, collector);
  }

  /** Its log is searched for secrets in the end, and it is disposed of with the site. */
  watch<T extends AsyncDisposable & { readonly logText: string }>(part: T): T {
    this.#logs.push(() => part.logText);
    return this.#stack.use(part);
  }

  host(name: string, url: string = this.collector.url): AgentHost {
    const dir = join(this.dir, `${name}-${this.#logs.length}`);
    const { caFile } = this.collector;
    const { wrapper } = this.places.host;
    return this.watch(new AgentHost({ dir, name, wrapper, collector: url, caFile }));
  }

  /** A host that is enrolled, and whose agent runs and has sent lines. */
  async enrolledHost(name: string, token: string): Promise<AgentHost> {
    const host = this.host(name);
    const { stdout, stderr } = await host.enroll(token);
    this.note("a good token", stdout + stderr, "enrolled at", `as ${name}`);
    this.#keep(host.key);
    host.write("one", "two");
    await host.run().ready();
    await this.untilStored(2);
    return host;
  }

  async untilStored(lines: number): Promise<void> {
    await eventually(
      () => (this.collector.stored() >= lines ? true : undefined),
      30_000,
      () => `not stored: ${this.#logs.map((text) => text()).join("\n")}`,
    );
  }

  async token(...flags: readonly string[]): Promise<string> {
    const { token } = await this.collector.enrolment(...flags);
    this.#keep(token);
    return token;
  }

  /** What was said has to hold all that is wanted. */
  note(attempt: string, said: string, ...wanted: readonly string[]): void {
    const missing = wanted.filter((text) => !said.includes(text));
    const problem = missing.length === 0 ? undefined : `does not say: ${missing.join("; ")}`;
    this.refusals.push({ attempt, said: said.trim(), problem });
  }

  /** A command had to fail, and to say all that is wanted. */
  refused(attempt: string, result: CommandResult, ...wanted: readonly string[]): void {
    const { code, stdout, stderr } = result;
    this.note(attempt, code === 0 ? `it was let in: ${stdout}` : stderr, ...wanted);
  }

  /** Looks for tokens and keys in every log, in what is kept of them, in the list of processes, and in all that others may read. */
  noteLeaks(): void {
    const texts = [
      ...this.#logs.map((text) => text()),
      this.collector.keyFile(),
      ...readableTexts(this.dir),
      ...this.#commandLines.leaks,
    ];
    const leaks = this.#secrets.filter((secret) => texts.some((text) => text.includes(secret)));
    this.note("secrets in logs, processes and readable files", leaks.join("\n") || "none", "none");
  }

  #keep(secret: string): void {
    this.#secrets.push(secret);
    this.#commandLines.add(secret);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack[Symbol.asyncDispose]();
  }
}

/** The contents of files below a folder that other users may read by their own mode. */
function readableTexts(dir: string): string[] {
  return readdirSync(dir, { recursive: true, encoding: "utf8" }).flatMap((name) => {
    const path = join(dir, name);
    const found = statSync(path, { throwIfNoEntry: false });
    return found?.isFile() === true && (found.mode & 0o044) !== 0
      ? [readFileSync(path, "latin1")]
      : [];
  });
}
