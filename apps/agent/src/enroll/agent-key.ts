import { createHash, randomBytes } from "node:crypto";
import { mkdir, readFile, rename } from "node:fs/promises";
import { dirname } from "node:path";
import { EXIT, Failure, parseToken, replaceFile } from "@sluice/service";

export interface FileOwner {
  readonly uid: number;
  readonly gid: number;
}

/** Tells an agent's own key from a token that several share, which must not become one agent's. */
const PREFIX = "slk_";
const KEY_BYTES = 32;

/** Codes of a file that is not there; what is wrong with its folder shows when it is written. */
const ABSENT = new Set(["ENOENT", "ENOTDIR"]);

/**
 * The key of this agent, in the file that `token_file` names. A new one lies beside it, in
 * `FILE.new`, until the collector has confirmed that it knows its hash: an answer that is lost is
 * asked for again with the same key.
 */
export class AgentKey {
  readonly path: string;
  readonly #owner: FileOwner | undefined;

  /** @param owner whose the file is to be; undefined: whoever runs this */
  constructor(path: string, owner?: FileOwner) {
    this.path = path;
    this.#owner = owner;
  }

  /** The key in use; undefined where there is none, or a token that is no agent's own. */
  async current(): Promise<string | undefined> {
    const key = await this.#read(this.path);
    return key?.startsWith(PREFIX) === true ? key : undefined;
  }

  /** The key that is to follow, made and on the disk. */
  async pending(): Promise<string> {
    const known = await this.#read(this.#pendingPath);
    if (known?.startsWith(PREFIX) === true) {
      return known;
    }
    const key = PREFIX + randomBytes(KEY_BYTES).toString("base64url");
    await this.#write(() => replaceFile(this.#pendingPath, `${key}\n`, 0o600, this.#owner));
    return key;
  }

  /** The pending key is the one in use from now on. */
  commit(): Promise<void> {
    return this.#write(() => rename(this.#pendingPath, this.path));
  }

  get #pendingPath(): string {
    return `${this.path}.new`;
  }

  async #read(path: string): Promise<string | undefined> {
    try {
      return parseToken(await readFile(path, "utf8"));
    } catch (error) {
      if (ABSENT.has((error as NodeJS.ErrnoException).code ?? "")) {
        return undefined;
      }
      throw new Failure(
        `token_file ${path}: ${(error as Error).message}`,
        "let the agent's user read it, or enrol as root",
        EXIT.config,
        { cause: error },
      );
    }
  }

  async #write(write: () => Promise<void>): Promise<void> {
    try {
      await mkdir(dirname(this.path), { recursive: true, mode: 0o700 });
      await write();
    } catch (error) {
      throw new Failure(
        `cannot write token_file ${this.path}: ${(error as Error).message}`,
        "name a file in token_file that the agent's user may write, such as one in its state_dir",
        EXIT.failed,
        { cause: error },
      );
    }
  }
}

/** What the collector knows of a key: its SHA-256 in hexadecimal. */
export function hashKey(key: string): string {
  return createHash("sha256").update(key).digest("hex");
}
