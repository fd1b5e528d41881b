import { request as requestHttp } from "node:http";

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
  headers: Readonly<Record<string, string>> = {},
): Promise<ProbeAnswer> {
  const url = new URL(path, collector);
  const isTls = url.protocol === "wss:";
  url.protocol = isTls ? "https:" : "http:";
  // TLS takes 3 MiB, and most often nobody asks for it: it is not imported.
  const send = isTls ? process.getBuiltinModule("node:https").request : requestHttp;
  const request = send(url, {
    headers,
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
export async function isReady(collector: string): Promise<boolean> {
  try {
    return (await probeCollector(collector, "/readyz")).status === 200;
  } catch {
    return false; // Whatever the reason: not ready.
  }
}
