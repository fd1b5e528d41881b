import { readdirSync, readFileSync } from "node:fs";

/** A process of a script lives for tens of milliseconds; those of a pasted line for longer. */
const LOOK_EVERY_MS = 10;

/** Looks for secrets in what `ps` shows of every process to every user (proc(5)), until it is disposed of. */
export class CommandLineWatch implements Disposable {
  readonly #secrets: string[];
  readonly #leaks = new Set<string>();
  readonly #timer: NodeJS.Timeout;

  constructor(secrets: readonly string[]) {
    this.#secrets = [...secrets];
    this.#timer = setInterval(() => this.#look(), LOOK_EVERY_MS);
  }

  /** From now on this is one, too. */
  add(secret: string): void {
    this.#secrets.push(secret);
  }

  /** Command lines that held one of the secrets. */
  get leaks(): string[] {
    return [...this.#leaks];
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
      const shown = commandLineOf(pid);
      if (this.#secrets.some((secret) => shown.includes(secret))) {
        this.#leaks.add(shown);
      }
    }
  }
}

function commandLineOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
  } catch {
    return ""; // It has ended meanwhile.
  }
}
