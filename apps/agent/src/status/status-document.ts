import * as z from "zod/mini";

const count = z.number();
/** RFC 3339, in UTC. */
const time = z.string();

const TROUBLE = z.object({ at: time, message: z.string() });

const ACCOUNT = {
  seenBytes: count,
  storedBytes: count,
  filteredBytes: count,
  filteredRecords: count,
  gapBytes: count,
  lostBytes: count,
  unaccountedBytes: count,
};

const STREAM = z.object({
  source: z.string(),
  generation: count,
  /** `reading`: open at the collector; `waiting`: for it; `held`: it takes nothing of this stream. */
  state: z.enum(["reading", "waiting", "held"]),
  /** Bytes of the source that are not acknowledged. */
  lagBytes: count,
  /** How long ago all of it was acknowledged; 0 while it is. */
  lagMs: count,
  recordsPerSecond: count,
  bytesPerSecond: count,
  /** Records acknowledged, over the stream's life. */
  records: count,
  ...ACCOUNT,
  lastError: z.optional(TROUBLE),
});

/** What `status.sock` answers and `sluice-agent status --json` prints. Later versions add keys. */
export const STATUS = z.object({
  version: z.string(),
  pid: count,
  agentId: z.string(),
  host: z.string(),
  stateDir: z.string(),
  startedAt: time,
  uptimeMs: count,
  rssBytes: count,
  cpuMs: count,
  connection: z.object({
    state: z.enum(["connected", "greeting", "disconnected"]),
    /** The one that is connected, or was tried last. */
    collector: z.optional(z.string()),
    collectors: z.array(z.string()),
    since: z.optional(time),
    storeId: z.optional(z.string()),
    /** Connections since the start of the agent. */
    connections: count,
    failedAttempts: count,
    retryInMs: z.optional(count),
    /** Granted, and what of it is not on its way; uncompressed bytes. */
    creditBytes: count,
    creditLeftBytes: count,
    lastDisconnect: z.optional(
      z.object({ at: time, reason: z.string(), advice: z.optional(z.string()) }),
    ),
  }),
  gaps: count,
  lastError: z.optional(TROUBLE),
  /** Furthest behind first. */
  streams: z.array(STREAM),
  /** Streams that are finished, by source, across restarts. */
  finished: z.array(z.object({ source: z.string(), streams: count, ...ACCOUNT })),
  /** What was acknowledged since the agent started, by source. */
  acknowledged: z.array(
    z.object({
      source: z.string(),
      records: count,
      storedBytes: count,
      filteredBytes: count,
      filteredRecords: count,
      gapBytes: count,
      lostBytes: count,
    }),
  ),
  /** What the rules of sources have done since the agent started, in records; what is read again counts again. */
  processing: z.array(
    z.object({
      source: z.string(),
      excluded: count,
      sampled: count,
      rateLimited: count,
      redactions: count,
      unparsed: count,
      droppedAttributes: count,
      failed: count,
    }),
  ),
  /** Files and folders that cannot be read and have no stream, and what else has no stream. */
  troubles: z.array(z.object({ source: z.string(), at: time, message: z.string() })),
});

export type AgentStatus = z.infer<typeof STATUS>;
export type StreamStatus = z.infer<typeof STREAM>;
