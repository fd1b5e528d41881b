import { request as requestHttp } from "node:http";

import type { TlsIdentity } from "./tls-identity.ts";

const ANSWER_WITHIN_MS = 15_000;

/** Of an answer; what we ask for is a few hundred bytes. */
const MAX_ANSWER_BYTES = 64 * 1024;

export interface CollectorRequest {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly token?: string;
  readonly body?: object;
  readonly tls: TlsIdentity & { readonly rejectUnauthorized?: boolean };
}

export interface CollectorAnswer {
  readonly status: number;
  readonly body: string;
}

/**
 * Asks a collector over HTTP, at the place that a `ws:` or `wss:` URL names.
 *
 * @throws the system's or TLS's error, and one that says so where there is no answer in 15 s
 */
export function askCollector(
  collector: string,
  { method, path, token, body, tls }: CollectorRequest,
): Promise<CollectorAnswer> {
  const url = httpUrl(collector, path);
  const text = body === undefined ? undefined : JSON.stringify(body);
  // TLS takes 3 MiB, and where the collector is at a `ws:` address nobody asks for it: it is not imported.
  const send =
    url.protocol === "https:" ? process.getBuiltinModule("node:https").request : requestHttp;
  const request = send(url, {
    method,
    agent: false,
    signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
    headers: {
      Accept: "application/json",
      ...(token !== undefined && { Authorization: `Bearer ${token}` }),
      ...(text !== undefined && {
        "Content-Type": "application/json",
        "Content-Length": Buffer.byteLength(text),
      }),
    },
    ...tls,
  });
  return new Promise((resolve, reject) => {
    request.on("error", (error) =>
      reject(error.name === "AbortError" ? new Error("no answer within 15 s") : error),
    );
    request.on("response", (response) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      response.on("data", (chunk: Buffer) => {
        chunks.push(chunk);
        bytes += chunk.length;
        if (bytes > MAX_ANSWER_BYTES) {
          request.destroy(new Error("the answer is too long to be a collector's"));
        }
      });
      response.on("error", reject);
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString("utf8") }),
      );
    });
    request.end(text);
  });
}

/** Where a collector's HTTP side is: `ws:` and `wss:` are `http:` and `https:`. */
export function httpUrl(collector: string, path: string): URL {
  const url = new URL(path, collector);
  url.protocol = url.protocol === "wss:" || url.protocol === "https:" ? "https:" : "http:";
  return url;
}
