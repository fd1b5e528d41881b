import type { Kind } from "../corpus/generate.ts";
import type { RecordLogOptions } from "../corpus/record-batches.ts";

/** One stream of the corpus: where it comes from, and how it is generated. */
export interface CorpusStream extends RecordLogOptions {
  readonly stream: number;
  readonly host: string;
  readonly source: string;
}

/** What a corpus is made from: the same plan gives the same bytes. */
export interface CorpusPlan {
  readonly sizeBytes: number;
  readonly seed: number;
}

/** A gigabyte is six hours of these hosts. */
const SECONDS_PER_BYTE = (6 * 3600) / 1e9;
/** 22 November 2026, 08:00 UTC. */
const START_US = Date.UTC(2026, 10, 22, 8) * 1000;

/** Busier and quieter ones, as they are. */
const HOSTS = [
  { host: "web-1", weight: 4 },
  { host: "web-2", weight: 3 },
  { host: "app-1", weight: 2 },
  { host: "db-1", weight: 1 },
] as const;

const SOURCES: readonly {
  readonly source: string;
  readonly kind: Exclude<Kind, "mix">;
  readonly weight: number;
}[] = [
  { source: "/var/log/syslog", kind: "syslog", weight: 6 },
  { source: "/var/log/auth.log", kind: "syslog", weight: 3 },
  { source: "/var/log/daemon.log", kind: "syslog", weight: 2 },
  { source: "/var/log/nginx/access.log", kind: "nginx", weight: 5 },
  { source: "/var/log/nginx/shop.log", kind: "nginx", weight: 2 },
  { source: "/srv/api/api.json", kind: "json", weight: 4 },
  { source: "/srv/cart/cart.json", kind: "json", weight: 2 },
  { source: "/srv/shop/shop.log", kind: "java", weight: 2 },
];

/** Mean bytes of an event of each kind, transfers included, as measured over 30 MB. */
const EVENT_BYTES: Readonly<Record<Exclude<Kind, "mix">, number>> = {
  syslog: 138,
  nginx: 196,
  json: 192,
  java: 135,
};

/** The corpus's streams: 4 hosts of 8 sources, all over the same span of time. */
export function corpusStreams({ sizeBytes, seed }: CorpusPlan): readonly CorpusStream[] {
  const weights = sum(HOSTS) * sum(SOURCES);
  const spanSeconds = sizeBytes * SECONDS_PER_BYTE;
  return HOSTS.flatMap(({ host, weight: hostWeight }, hostAt) =>
    SOURCES.map(({ source, kind, weight }, sourceAt) => {
      const stream = hostAt * SOURCES.length + sourceAt;
      const bytes = Math.max(1, Math.round((sizeBytes * hostWeight * weight) / weights));
      const linesPerSecond = bytes / EVENT_BYTES[kind] / spanSeconds;
      return {
        host,
        source,
        kind,
        stream,
        bytes,
        linesPerSecond,
        startUs: START_US,
        seed: seed * 1000 + stream,
      };
    }),
  );
}

function sum(parts: readonly { readonly weight: number }[]): number {
  return parts.reduce((total, { weight }) => total + weight, 0);
}
