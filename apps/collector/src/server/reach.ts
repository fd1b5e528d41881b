import type { X509Certificate } from "node:crypto";
import type { ListenAddress } from "@sluice/service";

import { isLoopback } from "../config.ts";

export interface ReachFacts {
  readonly publicUrl: string | undefined;
  /** Where the collector listens. */
  readonly listen: ListenAddress;
  readonly certificate: X509Certificate | undefined;
}

/**
 * Where agents reach the collector: as configured, else by the first name of its certificate that
 * means the same on every host, else by the address that it listens on where that is one.
 */
export function publicUrl({
  publicUrl: configured,
  listen,
  certificate,
}: ReachFacts): string | undefined {
  if (configured !== undefined) {
    return configured.replace(/\/+$/, "");
  }
  const scheme = certificate === undefined ? "http" : "https";
  const isAny = listen.host === "0.0.0.0" || listen.host === "::";
  const name =
    certificate === undefined || isLoopback(listen.host)
      ? undefined
      : namesOf(certificate).find((each) => !isLoopback(each) && !each.startsWith("*"));
  const host = name ?? (isAny ? undefined : listen.host);
  return host === undefined ? undefined : `${scheme}://${bracketed(host)}:${listen.port}`;
}

/** How commands on the collector's own machine reach it. */
export function localUrl({ listen, certificate }: Omit<ReachFacts, "publicUrl">): {
  readonly collector: string;
  readonly serverName: string | undefined;
} {
  const isAny = listen.host === "0.0.0.0" || listen.host === "::";
  const host = isAny ? "127.0.0.1" : listen.host;
  const collector = `${certificate === undefined ? "http" : "https"}://${bracketed(host)}:${listen.port}`;
  const names = certificate === undefined ? [] : namesOf(certificate);
  return { collector, serverName: names.includes(host) ? undefined : names[0] };
}

/** DNS names and IP addresses of a certificate, in its order. */
export function namesOf(certificate: X509Certificate): string[] {
  const text = certificate.subjectAltName ?? "";
  return [...text.matchAll(/(?:DNS|IP Address):("[^"]*"|[^,]+)/g)].map(([, name = ""]) =>
    compressed(name.trim()),
  );
}

/** OpenSSL writes IPv6 addresses in full: `0:0:0:0:0:0:0:1`. */
function compressed(name: string): string {
  return name.includes(":") ? new URL(`http://[${name}]`).hostname.slice(1, -1) : name;
}

function bracketed(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}
