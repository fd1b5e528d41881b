import { type IncomingMessage, request as requestHttp } from "node:http";

import { httpUrl } from "./collector-request.ts";
import type { TlsIdentity } from "./tls-identity.ts";

const PROBE_TIMEOUT_MS = 5_000;

/** What a collector's HTTP side answered to a probe. */
export interface ProbeAnswer {
  readonly status: number;
  /** Its `Date` header, milliseconds since the epoch; a whole second. */
  readonly dateMs: number | undefined;
}

/**
 * Asks for a path over HTTP, at the place that a `ws:` or `wss:` URL names.
 *
 * @throws the system's or TLS's error, and one that says so where there is no answer in 5 s
 */
export function probeCollector(
  collector: string,
  path: string,
  tls: TlsIdentity,
): Promise<ProbeAnswer> {
  const url = httpUrl(collector, path);
  // TLS takes 3 MiB, and where the collector is at a `ws:` address nobody asks for it: it is not imported.
  const send =
    url.protocol === "https:" ? process.getBuiltinModule("node:https").request : requestHttp;
  const request = send(url, {
    ...tls,
    agent: false,
    signal: AbortSignal.timeout(PROBE_TIMEOUT_MS),
  });
  return new Promise((resolve, reject) => {
    request.on("response", (response) => {
      response.destroy(); // The head says it all.
      const dateMs = Date.parse(response.headers.date ?? "");
      resolve({
        status: response.statusCode ?? 0,
        dateMs: Number.isNaN(dateMs) ? undefined : dateMs,
      });
    });
    request.on("error", (error) =>
      reject(error.name === "AbortError" ? new Error("no answer within 5 s") : error),
    );
    request.end();
  });
}

/** Whether the collector says that it can store. */
export async function isReady(
  collector: string,
  tls: () => Promise<TlsIdentity>,
): Promise<boolean> {
  try {
    return (await probeCollector(collector, "/readyz", await tls())).status === 200;
  } catch {
    return false; // Whatever the reason: not ready.
  }
}

const REASON_WITHIN_MS = 1_000;
const MAX_REASON_BYTES = 1_024;

/** What a collector says of its refusal: one line of plain text; undefined where it says nothing we would repeat. */
export async function readReason(response: IncomingMessage): Promise<string | undefined> {
  if (!/^text\/plain\b/.test(response.headers["content-type"] ?? "")) {
    return undefined;
  }
  const timer = setTimeout(() => response.destroy(), REASON_WITHIN_MS);
  let said = "";
  try {
    for await (const chunk of response) {
      said += (chunk as Buffer).toString("utf8");
      if (said.length > MAX_REASON_BYTES) {
        break;
      }
    }
  } catch {
    // What has come until then is what it said.
  } finally {
    clearTimeout(timer);
  }
  const [line = ""] = said.trim().split("\n");
  return line === "" ? undefined : line.slice(0, 200);
}
