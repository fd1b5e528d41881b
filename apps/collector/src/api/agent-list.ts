import { formatTimeRfc3339, timeUs } from "@sluice/quantity";
import type { TimeUs } from "@sluice/quantity";
import type { AgentInfo, StoreReader, StreamInfo } from "@sluice/store";
import * as z from "zod";

import type { Presence } from "../ingest/agent-directory.ts";

const count = z.int().nonnegative();

const STREAM_ENTRY = z.object({
  source: z.string(),
  generation: count,
  /** Stored so far, pruned ones included; bytes are those of the bodies with their LFs. */
  records: count,
  bytes: count,
  /** What the agent's rules dropped; bytes are those of the source. */
  filteredRecords: count,
  filteredBytes: count,
  /** Event time of the last record; null where there is none yet. */
  lastTime: z.string().nullable(),
  /** What the agent last said of its backlog; null while it is not connected or has not said. */
  behindBytes: count.nullable(),
  oldestUnackedMs: z.number().nonnegative().nullable(),
  gaps: count,
});

const AGENT_ENTRY = z.object({
  host: z.string(),
  agentId: z.string(),
  /** Null where no running collector was asked. */
  connected: z.boolean().nullable(),
  /** A key of its own, or a token that several share; null where no running collector was asked. */
  key: z.enum(["own", "shared", "revoked"]).nullable(),
  /** A second live agent of this id was refused: its state folder was copied. */
  clone: z.boolean(),
  streams: z.array(STREAM_ENTRY),
});

/** `sluice agents --json`, and the answer of `GET /v1/agents`. */
export const AGENT_LIST = z.array(AGENT_ENTRY);

export type AgentEntry = z.infer<typeof AGENT_ENTRY>;
export type StreamEntry = z.infer<typeof STREAM_ENTRY>;

/** Only agents of which nothing was received for so long. */
export interface Silence {
  readonly nowUs: TimeUs;
  readonly forMs: number;
}

/** What the collector's keys say of an agent. */
export interface AgentListAccess {
  keyOf(agentId: string): AgentEntry["key"];
  isCloned(agentId: string): boolean;
  isForgotten(agentId: string): boolean;
}

/** Lists agents by host, their streams by source and generation. */
export function listAgents(
  reader: Pick<StoreReader, "agents" | "streams">,
  presence: Presence | undefined,
  silence?: Silence,
  access?: AgentListAccess,
): AgentEntry[] {
  const streams = Map.groupBy(reader.streams(), ({ agent }) => agent);
  return reader
    .agents()
    .filter(({ agent, agentId }) => {
      return presence?.connectedAgents.has(agent) === true || access?.isForgotten(agentId) !== true;
    })
    .filter((agent) => {
      return silence === undefined || isSilent(agent, streams.get(agent.agent) ?? [], silence);
    })
    .toSorted((a, b) => compareText(a.host, b.host) || compareText(a.agentId, b.agentId))
    .map(({ agent, agentId, host }) => ({
      host,
      agentId,
      connected: presence === undefined ? null : presence.connectedAgents.has(agent),
      key: access === undefined ? null : access.keyOf(agentId),
      clone: presence?.clones.has(agentId) === true || access?.isCloned(agentId) === true,
      streams: (streams.get(agent) ?? [])
        .toSorted((a, b) => compareText(a.source, b.source) || a.generation - b.generation)
        .map((stream) => toEntry(stream, presence)),
    }));
}

function toEntry(stream: StreamInfo, presence: Presence | undefined): StreamEntry {
  const { source, generation, records, bytes, filteredRecords, filteredBytes } = stream;
  const { gaps, lastTimeUs } = stream;
  const isConnected = presence?.connectedAgents.has(stream.agent) === true;
  const backlog = isConnected ? presence.backlogs.get(stream.streamId) : undefined;
  // A finished stream was acknowledged to its end: its agent has no more to say about it.
  const unreported = stream.isFinished ? 0 : null;
  return {
    source,
    generation,
    records,
    bytes,
    filteredRecords,
    filteredBytes,
    lastTime: lastTimeUs === undefined ? null : formatTimeRfc3339(timeUs(lastTimeUs)),
    behindBytes: backlog?.behindBytes ?? unreported,
    oldestUnackedMs: backlog?.oldestUnackedMs ?? unreported,
    gaps,
  };
}

/** By receipt, on the collector's own clock. An agent that never sent a line is silent since it was first seen. */
function isSilent(agent: AgentInfo, streams: readonly StreamInfo[], silence: Silence): boolean {
  const heardUs = streams.reduce(
    (latest, { lastReceivedUs = 0 }) => Math.max(latest, lastReceivedUs),
    agent.firstSeenUs,
  );
  return silence.nowUs - heardUs >= silence.forMs * 1000;
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
