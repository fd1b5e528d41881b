import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";

/** Names that may be asked for: no path gets out of the folder, and hidden files stay hidden. */
const PRODUCT_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

const SUMS = "SHA256SUMS";

/** Of a line of it, before the name: 64 digits, a space, and a space or `*`. */
const SUM_WIDTH = 66;

/** What `templates/install.sh` looks for: a file for Node.js, or an executable of one architecture. */
const AGENT_BUILD = /^sluice-agent[\w.+~-]*(\.[cm]?js|linux-[a-z0-9_]+)$/;

export interface Product {
  readonly path: string;
  readonly bytes: number;
}

/** The agent's builds, which hosts download: the files of one folder, and their sums. */
export class Products {
  readonly dir: string;
  /** By name, for as long as size and time of change stay. */
  readonly #sums = new Map<string, { readonly stamp: string; readonly sum: Promise<string> }>();

  /** @param dir need not be there: then nothing is offered */
  constructor(dir: string) {
    this.dir = dir;
  }

  /** Names of those that the installation on a host can choose from. */
  async agentBuilds(): Promise<string[]> {
    const names = (await this.sums()).split("\n").map((line) => line.slice(SUM_WIDTH));
    return names.filter((name) => AGENT_BUILD.test(name));
  }

  /** A file that may be downloaded; undefined for every other name. */
  async find(name: string): Promise<Product | undefined> {
    if (!PRODUCT_NAME.test(name)) {
      return undefined;
    }
    const path = join(this.dir, name);
    const found = await stat(path).catch(() => undefined);
    return found?.isFile() === true ? { path, bytes: found.size } : undefined;
  }

  /** `SHA256SUMS` as `sha256sum -c` reads it: the folder's own file, or else made from its files. */
  async sums(): Promise<string> {
    const own = await readFile(join(this.dir, SUMS), "utf8").catch(() => undefined);
    if (own !== undefined) {
      return own;
    }
    const names = await readdir(this.dir).catch(() => []);
    const lines: string[] = [];
    for (const name of names.toSorted(compareText)) {
      const product = await this.find(name);
      if (product !== undefined) {
        lines.push(`${await this.#sumOf(name, product.path)}  ${name}\n`);
      }
    }
    return lines.join("");
  }

  async #sumOf(name: string, path: string): Promise<string> {
    const { mtimeMs, size, ino } = await stat(path);
    const stamp = `${ino} ${size} ${mtimeMs}`;
    const known = this.#sums.get(name);
    if (known?.stamp === stamp) {
      return known.sum;
    }
    const sum = hashFile(path);
    this.#sums.set(name, { stamp, sum });
    sum.catch(() => this.#sums.delete(name));
    return sum;
  }
}

async function hashFile(path: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash);
  return hash.digest("hex");
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
