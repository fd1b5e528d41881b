import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { type IncomingMessage, request as requestHttp } from "node:http";
import { text } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { EXIT, Failure } from "@sluice/service";

/** Without a byte for so long, a download has failed. */
const IDLE_TIMEOUT_MS = 30_000;

/** Several times an executable. */
const MOST_BYTES = 512 * 1024 * 1024;
const MOST_SUMS_BYTES = 1024 * 1024;

/** Whom TLS trusts and what it shows of itself, PEM; without `ca` the authorities of this system. */
export interface ReleaseTrust {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

/**
 * The builds that a collector offers under /download. Over TLS only, but for this machine itself: whoever stands in
 * between could offer another program with its sum.
 */
export class ReleaseSource {
  readonly #base: URL;
  readonly #trust: ReleaseTrust;

  /**
   * @param collector a `ws:` or `wss:` URL of the configuration
   * @throws Failure where it is plain text to another machine
   */
  constructor(collector: string, trust: ReleaseTrust) {
    const url = new URL("/download/", collector);
    url.protocol = url.protocol === "wss:" ? "https:" : "http:";
    if (url.protocol === "http:" && !isLoopback(url.hostname)) {
      throw new Failure(
        `no program is taken from ${url.host} in plain text`,
        "use a wss:// collector, or copy the new program to the host yourself",
        EXIT.config,
      );
    }
    this.#base = url;
    this.#trust = trust;
  }

  get origin(): string {
    return this.#base.origin;
  }

  /** SHA-256 in hex by file name, as `SHA256SUMS` lists them. */
  async sums(): Promise<ReadonlyMap<string, string>> {
    const response = await this.#get("SHA256SUMS");
    if (Number(response.headers["content-length"] ?? 0) > MOST_SUMS_BYTES) {
      response.destroy();
      throw this.#failed("SHA256SUMS", "it is too large to be a list of sums");
    }
    const lines = (await text(response)).split("\n");
    return new Map(
      lines.flatMap((line) => {
        const [, sum, name] = /^([0-9a-f]{64}) [ *](\S+)$/.exec(line) ?? [];
        return sum === undefined || name === undefined ? [] : [[name, sum] as const];
      }),
    );
  }

  /** Writes a file out, and gives its SHA-256 in hex. */
  async download(name: string, to: string): Promise<string> {
    const response = await this.#get(name);
    const hash = createHash("sha256");
    let bytes = 0;
    response.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      hash.update(chunk);
      if (bytes > MOST_BYTES) {
        response.destroy(new Error(`more than ${MOST_BYTES} bytes`));
      }
    });
    try {
      await pipeline(response, createWriteStream(to, { mode: 0o755, flush: true }));
    } catch (error) {
      throw this.#failed(name, error instanceof Error ? error.message : String(error), error);
    }
    return hash.digest("hex");
  }

  #get(name: string): Promise<IncomingMessage> {
    const url = new URL(name, this.#base);
    const start =
      url.protocol === "https:" ? process.getBuiltinModule("node:https").request : requestHttp;
    const request = start(url, { ...this.#trust, agent: false, timeout: IDLE_TIMEOUT_MS });
    return new Promise((resolve, reject) => {
      request.on("timeout", () => request.destroy(new Error("no answer within 30 s")));
      request.on("error", (error) => reject(this.#failed(name, error.message, error)));
      request.on("response", (response) => {
        if (response.statusCode === 200) {
          resolve(response);
        } else {
          response.destroy();
          reject(this.#failed(name, `it answers ${response.statusCode}`));
        }
      });
      request.end();
    });
  }

  #failed(name: string, why: string, cause?: unknown): Failure {
    return new Failure(
      `${name} cannot be had from ${this.origin}: ${why}`,
      "nothing was changed; look whether the collector is up, is trusted (--ca-file), and has a products_dir",
      EXIT.failed,
      { cause },
    );
  }
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "[::1]" || /^127\.\d+\.\d+\.\d+$/.test(host);
}
