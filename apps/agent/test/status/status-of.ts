import type { AgentStatus, StreamStatus } from "../../src/status/status-document.ts";

/** The status of an agent at rest, without streams. */
export function statusOf(more: Partial<AgentStatus> = {}): AgentStatus {
  return {
    version: "1",
    pid: 7,
    agentId: "a",
    host: "h",
    stateDir: "/s",
    startedAt: "2026-11-24T12:00:00.000Z",
    uptimeMs: 3_600_000,
    rssBytes: 60_000_000,
    cpuMs: 7,
    connection: {
      state: "disconnected",
      collectors: ["ws://c"],
      connections: 0,
      failedAttempts: 0,
      creditBytes: 0,
      creditLeftBytes: 0,
    },
    gaps: 0,
    streams: [],
    finished: [],
    acknowledged: [],
    processing: [],
    troubles: [],
    ...more,
  };
}

/** A stream that is caught up. */
export function streamOf(more: Partial<StreamStatus> = {}): StreamStatus {
  return {
    source: "/a",
    generation: 1,
    state: "reading",
    lagBytes: 0,
    lagMs: 0,
    recordsPerSecond: 0,
    bytesPerSecond: 0,
    records: 0,
    seenBytes: 0,
    storedBytes: 0,
    filteredBytes: 0,
    filteredRecords: 0,
    gapBytes: 0,
    lostBytes: 0,
    unaccountedBytes: 0,
    ...more,
  };
}
