import type { Server } from "node:http";
import { Server as TlsServer } from "node:tls";
import { dirname, resolve } from "node:path";
import { stat } from "node:fs/promises";

import { namesOf } from "../server/reach.ts";
import { ensureCertificate, ownTlsFiles } from "./own-certificate.ts";
import { readTlsFiles, type TlsMaterial, type TlsPaths, tlsServerOptions } from "./tls-files.ts";

/** Certificates are renewed at night and by others: a minute is soon enough, and costs three stats. */
const LOOK_EVERY_MS = 60_000;

export interface TlsWatchParts {
  readonly paths: TlsPaths;
  readonly dataDir: string;
  readonly nowMs: () => number;
  readonly events: {
    taken(expires: string): void;
    failed(error: unknown): void;
  };
}

/**
 * The certificates in use: read at the start, taken up anew when their files change, and renewed in
 * their last third where they are this collector's own. Connections that are open stay.
 */
export class TlsWatch implements Disposable {
  readonly #parts: TlsWatchParts;
  #material: TlsMaterial;
  #stamp: string;
  #server: Server | undefined;
  #timer: NodeJS.Timeout | undefined;

  private constructor(parts: TlsWatchParts, material: TlsMaterial, stamp: string) {
    this.#parts = parts;
    this.#material = material;
    this.#stamp = stamp;
  }

  /** @throws Failure with exit code 78 that names the file */
  static async open(parts: TlsWatchParts): Promise<TlsWatch> {
    const stamp = await stampOf(parts.paths);
    const watch = new TlsWatch(parts, await readTlsFiles(parts.paths), stamp);
    await watch.look();
    return watch;
  }

  get material(): TlsMaterial {
    return this.#material;
  }

  /** From now on the server shows what the files hold. */
  start(server: Server): void {
    this.#server = server;
    this.#timer = setInterval(() => void this.look(), LOOK_EVERY_MS);
    this.#timer.unref();
  }

  /** Renews what is due and takes up what has changed; a failure leaves what is in use. */
  async look(): Promise<void> {
    try {
      await this.#renew();
      const stamp = await stampOf(this.#parts.paths);
      if (stamp === this.#stamp) {
        return;
      }
      const material = await readTlsFiles(this.#parts.paths);
      if (this.#server instanceof TlsServer) {
        this.#server.setSecureContext(tlsServerOptions(material));
      }
      this.#material = material;
      this.#stamp = stamp;
      this.#parts.events.taken(material.certificate.validToDate.toISOString());
    } catch (error) {
      this.#parts.events.failed(error);
    }
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  async #renew(): Promise<void> {
    const { paths, dataDir, nowMs } = this.#parts;
    const files = ownTlsFiles(dataDir);
    const { certificate } = this.#material;
    const isOwn =
      resolve(paths.certFile) === resolve(files.certFile) &&
      dirname(resolve(paths.keyFile)) === resolve(files.dir);
    const from = certificate.validFromDate.getTime();
    const until = certificate.validToDate.getTime();
    if (isOwn && nowMs() > until - (until - from) / 3) {
      await ensureCertificate(files, { names: namesOf(certificate), renew: true, nowMs: nowMs() });
    }
  }
}

/** Another inode, size or time of change is another content. */
async function stampOf({ certFile, keyFile, caFile, clientCaFile }: TlsPaths): Promise<string> {
  const files = [certFile, keyFile, caFile, clientCaFile].filter((file) => file !== undefined);
  const stamps = await Promise.all(
    files.map(async (file) => {
      const found = await stat(file).catch(() => undefined);
      return found === undefined ? "-" : `${found.ino} ${found.size} ${found.mtimeMs}`;
    }),
  );
  return stamps.join(", ");
}
