import type { AgentEffect, FrameDraft, StreamOffer } from "../src/agent-effect.ts";
import { AgentSession } from "../src/agent-session.ts";
import type { AgentMessage, CollectorMessage, OpenStream, WelcomeMessage } from "../src/control.ts";
import { LIMITS } from "../src/limits.ts";

export const STORE_ID = "0197a1d2-0000-7000-8000-00000000000a";
export const CREDIT_BYTES = 4 * LIMITS.batchRawBytes;

export const IDENTITY = {
  agentId: "0197a1d2-7c54-7a3e-9f10-2b6f5d8c4e01",
  instance: "6f1c9a0e",
  hostname: "web-1",
  version: "0.1.0",
  labels: { env: "prod" },
} as const;

export function cursor(...bytes: number[]): Uint8Array {
  return Uint8Array.from(bytes);
}

export function offer(key: number): StreamOffer {
  return {
    key,
    source: `/var/log/${key}`,
    generation: 1,
    initialCursor: () => cursor(0),
    labels: {},
  };
}

export function welcome(change: Partial<WelcomeMessage> = {}): WelcomeMessage {
  const { batchRawBytes, batchRecords, recordBytes, framePayloadBytes, streamsPerAgent } = LIMITS;
  return {
    type: "welcome",
    storeId: STORE_ID,
    creditBytes: CREDIT_BYTES,
    limits: { batchRawBytes, batchRecords, recordBytes, framePayloadBytes, streamsPerAgent },
    clockUs: 0,
    streams: [],
    more: false,
    ...change,
  };
}

/** Where streams stand as the collector tells it: all of them at the same place. */
export function opened(numbers: readonly number[], change: object = {}): CollectorMessage {
  const at = { epoch: 1, ordinal: 0, nextSeq: 0, cursor: cursor(0), created: true, ...change };
  return { type: "opened", streams: numbers.map((stream) => ({ stream, ...at })) };
}

export function ack(ordinal: number, change: object = {}): CollectorMessage {
  return { type: "ack", streams: [{ stream: 0, epoch: 1, ordinal, nextSeq: 0, ...change }] };
}

export function reset(epoch: number, ordinal: number, nextSeq: number): CollectorMessage {
  const streams = [
    { stream: 0, epoch, ordinal, nextSeq, cursor: cursor(9), reason: "corrupt" as const },
  ];
  return { type: "reset", streams };
}

export function reject(epoch: number, ordinal: number, nextSeq: number): CollectorMessage {
  return {
    type: "reject",
    stream: 0,
    epoch,
    ordinal,
    nextSeq,
    cursor: cursor(9),
    code: "bad_columns",
    detail: "the times are malformed",
  };
}

export function draft(change: Partial<FrameDraft> = {}): FrameDraft {
  return {
    count: 10,
    creditBytes: 1000,
    bodyBytes: 900,
    cursor: cursor(1),
    isFinal: false,
    ...change,
  };
}

/** A live session with these streams open at the beginning, and rewound once. */
export function openSession(keys: readonly number[] = [7]): AgentSession {
  const session = new AgentSession(IDENTITY);
  for (const key of keys) {
    session.offer(offer(key));
  }
  session.connected(0);
  session.receive(welcome());
  session.receive(opened(keys.map((_, number) => number)));
  return session;
}

export function reconnect(session: AgentSession): AgentEffect[] {
  session.disconnected();
  session.connected(0);
  return session.receive(welcome());
}

/** The messages among effects. */
export function sent(effects: readonly AgentEffect[]): AgentMessage[] {
  return effects.flatMap((effect) => (effect.kind === "send" ? [effect.message] : []));
}

export function openings(effects: readonly AgentEffect[]): OpenStream[] {
  return sent(effects).flatMap((message) => (message.type === "open" ? message.streams : []));
}

/** The one rewind among effects. */
export function rewindOf(
  effects: readonly AgentEffect[],
): Extract<AgentEffect, { kind: "rewind" }> {
  const rewind = effects.find((effect) => effect.kind === "rewind");
  if (rewind === undefined) {
    throw new Error("no rewind");
  }
  return rewind;
}
