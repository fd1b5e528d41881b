const KiB = 1024;
const MiB = 1024 * KiB;

const batchRawBytes = 1 * MiB;
const batchRecords = 65_536;
const batchAttributesBytes = 1 * MiB;

/** Largest encodings of a batch's columns: 8-byte times, 2-byte severity runs, 3-byte lengths. */
const columnsBytes = batchRecords * (8 + 2 + 3) + batchAttributesBytes;
const trailerBytes = 16;

/**
 * Every bound of the protocol, with its unit in its name. Both ends enforce all of them; a collector
 * may grant less in its `welcome`, never more.
 */
export interface Limits {
  /** One record's body. Longer ones are cut and marked: no search result is readable beyond it. */
  readonly recordBytes: number;
  /** Attributes of one record, encoded: a page of structured data; more belongs in the body. */
  readonly recordAttributesBytes: number;
  /** Attributes of one record: more keys than any logger we know of writes. */
  readonly recordAttributes: number;
  /** Bodies of one batch, LFs included: twice as much compresses 0.1 % better. Decodes in 3 ms. */
  readonly batchRawBytes: number;
  /** Records of one batch: bounds the column arrays that a decoder allocates to 1 MiB. */
  readonly batchRecords: number;
  /** Attributes of one batch, encoded: as much again as the bodies. */
  readonly batchAttributesBytes: number;
  /** A batch's payload before compression: bodies, worst-case columns and trailer. */
  readonly payloadRawBytes: number;
  /** One WebSocket message: the largest batch uncompressible, with room to spare. */
  readonly framePayloadBytes: number;
  /** Fragments of one WebSocket message: peers of ours send one; a thousand tiny ones cost memory. */
  readonly messageFragments: number;
  /** Sluice frames in one WebSocket message: bounds what decoding a message allocates. */
  readonly messageFrames: number;
  /** A cursor: a file's identity, offset and two hashes need about 200 bytes. */
  readonly cursorBytes: number;
  /** The human sentence in a gap, a reject or a failure. */
  readonly detailBytes: number;
  /** A source's name as a JSON string: PATH_MAX. Escapes count, so that control messages fit. */
  readonly sourceBytes: number;
  /** Labels of an agent or a stream: their number, and their size as a JSON object. */
  readonly labels: number;
  readonly labelsBytes: number;
  /** Host names, versions, nonces, ids. */
  readonly nameBytes: number;
  /**
   * Streams in one control message; longer lists continue in the next message. 16 KiB for each, more
   * than the largest cursor, source and labels take, so that a message of them always fits.
   */
  readonly controlStreams: number;
  /** One control message as UTF-8. */
  readonly controlBytes: number;
  /** Values in it, keys and containers counted, and how deep they are: the fullest list of streams fits. */
  readonly controlValues: number;
  readonly controlDepth: number;

  /** Uncompressed batch payloads that one agent may have unacknowledged: 8 full batches in flight. */
  readonly creditPerAgentBytes: number;
  /** The same over all agents, as received: what the collector holds in memory before its commits. */
  readonly creditTotalBytes: number;
  /**
   * What one connection may have waiting at the collector, uncompressed as its headers claim: its credit
   * several times, because what a reset made void waits too, and the agent has that credit back.
   */
  readonly waitingRawBytes: number;
  /** Messages to one agent that it has not read: the list of all its streams fits. */
  readonly unreadPerAgentBytes: number;
  /** The same over all agents; beyond it whoever has more than a control message unread is let go. */
  readonly unreadTotalBytes: number;

  /** HTTP headers of the upgrade, in bytes and in number: a browser's 2,000 are not an agent's. */
  readonly headersBytes: number;
  readonly headersCount: number;
  /** TCP accept to finished upgrade. */
  readonly handshakeTimeoutMs: number;
  /** Finished upgrade to `hello`. */
  readonly helloTimeoutMs: number;
  /** How long an old connection may take to answer a ping before its successor replaces it. */
  readonly replacePingTimeoutMs: number;
  /** Sockets: hundreds of agents, their reconnects, and room. */
  readonly connectionsTotal: number;
  /** A NAT with a rack behind it. */
  readonly connectionsPerIp: number;
  /**
   * Before authentication a peer costs memory and has proved nothing. Counted once it has had time to
   * show its token: a fleet that comes back at once is not who this is for.
   */
  readonly connectionsUnauthenticated: number;
  readonly strangerGraceMs: number;
  /** The same, counted from the first moment. */
  readonly connectionsArriving: number;
  readonly failedAuthsPerIpPerMinute: number;
  /** Streams one connection may have open; thousands of files on one host do exist. */
  readonly streamsPerAgent: number;
  /** Unfinished streams of one agent that a store keeps: what it has open, and as many of earlier. */
  readonly unfinishedPerAgent: number;

  /** Below the 30-60 s after which middleboxes forget an idle connection. */
  readonly pingIntervalMs: number;
  /** Two pings and a margin. */
  readonly deadAfterMs: number;
  /** Reconnect with full jitter between 0 and a cap that grows from the first to the second. */
  readonly reconnectMinMs: number;
  readonly reconnectMaxMs: number;
  /** What it is after an attempt, of what it was; why not double: docs/decisions/0025-waits-grow-by-half.md. */
  readonly reconnectGrowthPercent: number;
  /** How often an agent reports its backlog while it changes. */
  readonly reportIntervalMs: number;

  /** Rejected batches that an agent keeps for a human, oldest dropped first. */
  readonly deadLetterBytes: number;
  /** Rejects of one stream in a row after which it stops: the fault is not in one batch. */
  readonly rejectsInARow: number;
}

export const LIMITS: Limits = Object.freeze({
  recordBytes: 256 * KiB,
  recordAttributesBytes: 64 * KiB,
  recordAttributes: 128,
  batchRawBytes,
  batchRecords,
  batchAttributesBytes,
  payloadRawBytes: batchRawBytes + columnsBytes + trailerBytes,
  framePayloadBytes: 4 * MiB,
  messageFragments: 64,
  messageFrames: 4096,
  cursorBytes: 4 * KiB,
  detailBytes: 1 * KiB,
  sourceBytes: 4 * KiB,
  labels: 64,
  labelsBytes: 4 * KiB,
  nameBytes: 256,
  controlStreams: 256,
  controlBytes: 4 * MiB,
  controlValues: 65_536,
  controlDepth: 16,
  creditPerAgentBytes: 8 * MiB,
  creditTotalBytes: 256 * MiB,
  waitingRawBytes: 32 * MiB,
  unreadPerAgentBytes: 32 * MiB,
  unreadTotalBytes: 128 * MiB,
  headersBytes: 8 * KiB,
  headersCount: 32,
  handshakeTimeoutMs: 5000,
  helloTimeoutMs: 5000,
  replacePingTimeoutMs: 5000,
  connectionsTotal: 4096,
  connectionsPerIp: 256,
  connectionsUnauthenticated: 64,
  strangerGraceMs: 2000,
  connectionsArriving: 1024,
  failedAuthsPerIpPerMinute: 10,
  streamsPerAgent: 16_384,
  unfinishedPerAgent: 32_768,
  pingIntervalMs: 20_000,
  deadAfterMs: 45_000,
  reconnectMinMs: 500,
  reconnectMaxMs: 60_000,
  reconnectGrowthPercent: 150,
  reportIntervalMs: 1000,
  deadLetterBytes: 64 * MiB,
  rejectsInARow: 3,
});
