import { randomUUID } from "node:crypto";
import {
  type AgentEffect,
  AgentSession,
  BatchBuilder,
  compressPayloadSync,
  decodeCollectorMessage,
  encodeControl,
  encodeFrame,
  LIMITS,
  PAYLOAD_CODEC_ZSTD,
  SUBPROTOCOL,
} from "@sluice/protocol";
import WebSocket from "ws";

/** The only stream that a light agent has. */
const STREAM = 0;

/** One builder for a whole process of agents: its buffer is several megabytes. */
const builder = new BatchBuilder();

interface Line {
  readonly text: Buffer;
  readonly writtenMs: number;
}

export interface FleetAgentOptions {
  readonly url: string;
  readonly token: string;
  readonly host: string;
  readonly localAddress: string;
  /** Told of each attempt to connect, in milliseconds since the epoch. */
  readonly onAttempt: (atMs: number) => void;
  /** Told of each line, from when it was written until its ack. */
  readonly onAck: (tookMs: number) => void;
}

/**
 * An agent without files: the protocol's own session over a socket, lines that are made up, and the
 * real agent's rules of when to send and when to come back. Hundreds of them fit one process.
 */
export class FleetAgent {
  readonly #options: FleetAgentOptions;
  readonly #session: AgentSession;
  /** Written and not acknowledged; the first has the number `#firstSeq`. */
  #lines: Line[] = [];
  #firstSeq = 0;
  /** How many of them are on their way. */
  #sent = 0;
  #epoch: number | undefined;
  #socket: WebSocket | undefined;
  #capMs: number = LIMITS.reconnectMinMs;
  #notBeforeMs = 0;
  #timer: NodeJS.Timeout | undefined;
  #isStopped = false;
  written = 0;

  constructor(options: FleetAgentOptions) {
    this.#options = options;
    this.#session = new AgentSession({
      agentId: randomUUID(),
      instance: randomUUID(),
      hostname: options.host,
      version: "0.1.0",
      labels: {},
    });
    const source = "/var/log/syslog";
    this.#session.offer({
      key: STREAM,
      source,
      generation: 1,
      initialCursor: beginning,
      labels: {},
    });
  }

  get isOpen(): boolean {
    return this.#epoch !== undefined;
  }

  get unacked(): number {
    return this.#lines.length;
  }

  write(text: Buffer): void {
    this.#lines.push({ text, writtenMs: performance.now() });
    this.written += 1;
    this.#flush();
  }

  connect(): void {
    if (this.#isStopped) return;
    const { url, token, localAddress, onAttempt } = this.#options;
    onAttempt(performance.timeOrigin + performance.now());
    const socket = new WebSocket(new URL("/v1/agent", url), SUBPROTOCOL, {
      headers: { authorization: `Bearer ${token}` },
      perMessageDeflate: false,
      handshakeTimeout: LIMITS.handshakeTimeoutMs,
      localAddress,
    });
    this.#socket = socket;
    socket.on("open", () => this.#perform(this.#session.connected(Date.now() * 1000)));
    socket.on("message", (data: Buffer) => {
      const decoded = decodeCollectorMessage(data.toString("utf8"));
      if (!decoded.ok) throw new Error(`the collector sent ${decoded.error.detail}`);
      if (decoded.value.type === "welcome") this.#capMs = LIMITS.reconnectMinMs;
      this.#perform(this.#session.receive(decoded.value));
    });
    socket.on("error", () => undefined); // a close follows
    socket.on("close", () => {
      this.#session.disconnected();
      this.#epoch = undefined;
      const waitMs = Math.random() * this.#capMs;
      this.#capMs = Math.min(
        LIMITS.reconnectMaxMs,
        (this.#capMs * LIMITS.reconnectGrowthPercent) / 100,
      );
      const askedMs = Math.max(0, this.#notBeforeMs - performance.now());
      this.#timer = setTimeout(() => this.connect(), askedMs + waitMs);
    });
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    this.#socket?.terminate();
  }

  #perform(effects: readonly AgentEffect[]): void {
    for (const effect of effects) {
      switch (effect.kind) {
        case "send":
          this.#socket?.send(encodeControl(effect.message));
          break;
        case "rewind":
          this.#epoch = effect.epoch;
          this.#acknowledge(effect.nextSeq);
          this.#sent = 0;
          break;
        case "acked":
          this.#acknowledge(effect.nextSeq);
          break;
        case "goaway":
          this.#notBeforeMs = performance.now() + effect.retryAfterMs;
          break;
        case "failed":
        case "stopped":
          throw new Error(`${effect.kind}: ${effect.detail}`);
        default:
          break; // unfinished, credit: nothing that a light agent does not look at anyway
      }
    }
    this.#flush();
  }

  #acknowledge(nextSeq: number): void {
    const acked = this.#lines.splice(0, nextSeq - this.#firstSeq);
    for (const { writtenMs } of acked) this.#options.onAck(performance.now() - writtenMs);
    this.#firstSeq = nextSeq;
    this.#sent -= acked.length;
  }

  /** As the real agent: what has come together leaves when nothing is on its way. */
  #flush(): void {
    const lines = this.#lines.slice(this.#sent);
    if (this.#epoch === undefined || lines.length === 0 || !this.#session.isQuiet) return;
    builder.reset();
    let end = 0;
    const timeUs = Date.now() * 1000;
    for (const { text } of lines) {
      text.copy(builder.buffer, end);
      end += text.length;
      builder.add(end - 1, timeUs, 0);
    }
    const count = lines.length;
    const payload = builder.finish();
    const cursor = Buffer.from(String(this.#firstSeq + this.#sent + count));
    const draft = { count, creditBytes: payload.length, bodyBytes: end, cursor, isFinal: false };
    const position = this.#session.place(STREAM, this.#epoch, draft, performance.now());
    if (position === undefined) return;
    this.#sent += count;
    const times = { minTimeUs: timeUs, maxTimeUs: timeUs, rawBytes: payload.length };
    const packed = { codec: PAYLOAD_CODEC_ZSTD, payload: compressPayloadSync(payload) };
    this.#socket?.send(encodeFrame({ kind: "batch", ...position, ...times, ...packed }));
  }
}

function beginning(): Uint8Array {
  return Buffer.from("0");
}
