/**
 * How frames to a collector are masked; undefined for a random mask, ws's default. The mask keeps
 * what stands in between from taking bytes of a log for a request of its own (RFC 6455, 10.3). Within
 * TLS and on loopback nothing stands there, and ws leaves out the masking where the mask is zero: a
 * copy of each batch, and a loop over its bytes that has V8's optimizing compiler loaded, 5 MiB of it,
 * by an agent that has nothing else to do.
 */
export function frameMask(collector: URL): ((mask: Buffer) => void) | undefined {
  return collector.protocol === "wss:" || isLoopback(collector.hostname)
    ? (mask) => mask.fill(0)
    : undefined;
}

/** As a URL writes a host: `127.1` is 127.0.0.1 by then. */
function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "[::1]" || /^127(\.\d+){3}$/.test(hostname);
}
