import type { AgentSession } from "@sluice/protocol";

import type { StreamWorker } from "../stream-worker.ts";
import type { AgentMeter } from "./agent-meter.ts";
import type { AgentStatus, StreamStatus } from "./status-document.ts";
import type { Trouble } from "./trouble-list.ts";

const CONNECTION_STATES = {
  live: "connected",
  greeting: "greeting",
  down: "disconnected",
} as const satisfies Record<AgentSession["phase"], AgentStatus["connection"]["state"]>;

export interface StatusParts {
  readonly agent: Pick<AgentStatus, "agentId" | "host" | "version" | "stateDir"> & {
    readonly collectors: readonly string[];
  };
  readonly meter: AgentMeter;
  readonly session: AgentSession;
  readonly workers: ReadonlyMap<number, StreamWorker>;
  /** Milliseconds since the epoch, and milliseconds that never go back. */
  readonly clockMs: number;
  readonly nowMs: number;
}

/** How the agent is doing at a moment. */
export function describeAgent(parts: StatusParts): AgentStatus {
  const { agent, clockMs } = parts;
  const { startedAtMs, counters, processing, finished, troubles, gaps } = parts.meter;
  const { user, system } = process.cpuUsage();
  const streams = describeStreams(parts);
  const known = new Set(streams.map(({ source }) => source));
  return {
    ...agent,
    pid: process.pid,
    startedAt: toTime(startedAtMs),
    uptimeMs: clockMs - startedAtMs,
    rssBytes: process.memoryUsage.rss(),
    cpuMs: Math.round((user + system) / 1_000),
    connection: describeConnection(parts),
    gaps,
    ...(troubles.last !== undefined && { lastError: toTrouble(troubles.last) }),
    streams,
    finished: [...finished.accounts],
    acknowledged: [...counters.counts].map(([source, amount]) => ({ source, ...amount })),
    processing: [...processing.counts].map(([source, counts]) => ({ source, ...counts })),
    troubles: [...troubles.sources]
      .filter(([source]) => !known.has(source))
      .map(([source, trouble]) => ({ source, ...toTrouble(trouble) })),
  };
}

function describeConnection({
  agent,
  session,
  meter: { connection },
  clockMs,
}: StatusParts): AgentStatus["connection"] {
  const { collector, connectedAtMs, connections, failedAttempts, retryAtMs } = connection;
  const last = connection.lastDisconnection;
  const { phase, storeId, creditBytes, unackedBytes } = session;
  return {
    state: CONNECTION_STATES[phase],
    ...(collector !== undefined && { collector }),
    collectors: [...agent.collectors],
    ...(connectedAtMs !== undefined && { since: toTime(connectedAtMs) }),
    ...(storeId !== undefined && { storeId }),
    connections,
    failedAttempts,
    ...(retryAtMs !== undefined && { retryInMs: Math.max(0, Math.round(retryAtMs - clockMs)) }),
    creditBytes: phase === "live" ? creditBytes : 0,
    creditLeftBytes: phase === "live" ? Math.max(0, creditBytes - unackedBytes) : 0,
    ...(last !== undefined && {
      lastDisconnect: {
        at: toTime(last.atMs),
        reason: last.reason,
        ...(last.advice !== undefined && { advice: last.advice }),
      },
    }),
  };
}

function describeStreams({
  workers,
  session,
  meter: agentMeter,
  nowMs,
}: StatusParts): StreamStatus[] {
  const streams = [...workers].map(([key, worker]): StreamStatus => {
    const { meter, state } = worker;
    const lagBytes = worker.lagBytes(session.unackedBytesOf(key));
    const { recordsPerSecond, bytesPerSecond } = meter.rates(nowMs);
    const trouble = agentMeter.troubles.of(worker.stream.source);
    return {
      ...worker.stream,
      state,
      lagBytes,
      lagMs: meter.lagMs(lagBytes, nowMs),
      recordsPerSecond: toRate(recordsPerSecond),
      bytesPerSecond: toRate(bytesPerSecond),
      records: meter.records,
      ...meter.account,
      ...(trouble !== undefined && { lastError: toTrouble(trouble) }),
    };
  });
  return streams.toSorted(
    (a, b) => b.lagBytes - a.lagBytes || (a.source < b.source ? -1 : a.source > b.source ? 1 : 0),
  );
}

/** Two digits behind the point say all that an average does. */
function toRate(perSecond: number): number {
  return Math.round(perSecond * 100) / 100;
}

function toTrouble({ atMs, message }: Trouble): { at: string; message: string } {
  return { at: toTime(atMs), message };
}

function toTime(ms: number): string {
  return new Date(ms).toISOString();
}
