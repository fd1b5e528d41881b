import { randomBytes, timingSafeEqual, createHash } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** What a token allows. */
export type Scope = "ingest" | "query";

const TOKEN_BYTES = 32;

/**
 * The collector's bearer tokens: one file a scope under `data_dir/tokens`, mode 0600, written at
 * the first start. Only their hashes are held in memory, and they are compared in constant time.
 */
export class Tokens {
  readonly #hashes: ReadonlyMap<Scope, Buffer>;

  private constructor(hashes: ReadonlyMap<Scope, Buffer>) {
    this.#hashes = hashes;
  }

  static async load(dataDir: string): Promise<Tokens> {
    const folder = join(dataDir, "tokens");
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const hashes = new Map<Scope, Buffer>();
    for (const scope of ["ingest", "query"] as const) {
      hashes.set(scope, hash(await readOrMint(tokenPath(dataDir, scope))));
    }
    return new Tokens(hashes);
  }

  /** Whether an `Authorization` header grants the scope. */
  allows(scope: Scope, authorization: string | undefined): boolean {
    const token = /^Bearer (\S+)$/i.exec(authorization ?? "")?.[1];
    const expected = this.#hashes.get(scope);
    return token !== undefined && expected !== undefined && timingSafeEqual(hash(token), expected);
  }
}

export function tokenPath(dataDir: string, scope: Scope): string {
  return join(dataDir, "tokens", `${scope}.token`);
}

async function readOrMint(path: string): Promise<string> {
  try {
    return (await readFile(path, "utf8")).trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") {
      throw error;
    }
  }
  const token = randomBytes(TOKEN_BYTES).toString("base64url");
  await writeFile(path, `${token}\n`, { mode: 0o600, flag: "wx" });
  return token;
}

function hash(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}
