import {
  type AgentEffect,
  type AgentMessage,
  type AgentSession,
  CLOSE_CODES,
  CLOSE_NOTES,
  decodeCollectorMessage,
  encodeControl,
  HTTP_STATUSES,
  LIMITS,
  SUBPROTOCOL,
} from "@sluice/protocol";
import WebSocket from "ws";

import { Backoff } from "./backoff.ts";

/** Nothing was acknowledged for this long though something is on its way: the connection is not to be trusted. */
const ACK_TIMEOUT_MS = 60_000;

interface UplinkEvents {
  /** What the session wants of the agent, but for sending. */
  effect(effect: Exclude<AgentEffect, { kind: "send" }>): void;
  connected(url: string): void;
  /** The connection is gone; what was on its way is void. `advice` is set where waiting will not mend it. */
  disconnected(reason: string, advice: string | undefined, retryInMs: number): void;
}

export interface UplinkOptions {
  /** In order of preference; each failed attempt moves on to the next. */
  readonly urls: readonly string[];
  /** Read anew for each attempt, so that a rotated token is taken up. */
  readonly token: () => Promise<string>;
  readonly session: AgentSession;
  readonly events: UplinkEvents;
  readonly random: () => number;
}

/** The socket under the agent's session: one connection at a time, reconnected for ever. */
export class Uplink implements AsyncDisposable {
  readonly #options: UplinkOptions;
  readonly #backoff: Backoff;
  #socket: WebSocket | undefined;
  #attempt = 0;
  #retryTimer: NodeJS.Timeout | undefined;
  #pingTimer: NodeJS.Timeout | undefined;
  #lastHeardMs = 0;
  #isStopped = false;
  /** Set by a `goaway`: when the collector wants to be asked again. */
  #notBeforeMs = 0;

  constructor(options: UplinkOptions) {
    this.#options = options;
    this.#backoff = new Backoff(options.random);
  }

  start(): void {
    void this.#connect();
  }

  send(message: AgentMessage): void {
    this.#socket?.send(encodeControl(message));
  }

  sendFrames(message: Buffer): void {
    this.#socket?.send(message, { binary: true });
  }

  /** Carries out effects that came from the session by another way than a message. */
  perform(effects: readonly AgentEffect[]): void {
    for (const effect of effects) {
      if (effect.kind === "send") {
        this.send(effect.message);
      } else {
        if (effect.kind === "goaway") {
          this.#notBeforeMs = performance.now() + effect.retryAfterMs;
        }
        this.#options.events.effect(effect);
      }
    }
  }

  /** Closes in good order: the collector takes what has arrived. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#retryTimer);
    const socket = this.#socket;
    if (socket === undefined || socket.readyState === WebSocket.CLOSED) {
      return;
    }
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => socket.terminate(), 1_000);
      socket.once("close", () => {
        clearTimeout(timer);
        resolve();
      });
      socket.close(CLOSE_CODES.goingAway, "the agent stops");
    });
  }

  async #connect(): Promise<void> {
    const { urls, session, events } = this.#options;
    const attempt = this.#attempt++;
    const url = urls[attempt % urls.length] as string;
    let token: string;
    try {
      token = await this.#options.token();
    } catch (error) {
      this.#retry(messageOf(error), undefined, false);
      return;
    }
    if (this.#isStopped) {
      return;
    }
    const socket = new WebSocket(new URL("/v1/agent", url), SUBPROTOCOL, {
      headers: { authorization: `Bearer ${token}` },
      perMessageDeflate: false,
      maxPayload: LIMITS.controlBytes,
      handshakeTimeout: LIMITS.handshakeTimeoutMs,
    });
    this.#socket = socket;
    let failure = "the connection was closed";
    let advice: string | undefined;
    socket.on("unexpected-response", (request, response) => {
      failure = `the collector answered ${response.statusCode ?? 0}`;
      advice = adviceForStatus(response.statusCode ?? 0);
      request.destroy();
      socket.terminate();
    });
    socket.on("error", (error) => {
      failure = advice === undefined ? messageOf(error) : failure;
    });
    socket.on("open", () => {
      this.#lastHeardMs = performance.now();
      this.#pingTimer = setInterval(() => this.#watch(socket), LIMITS.pingIntervalMs / 4);
      events.connected(url);
      this.perform(session.connected(Date.now() * 1000));
    });
    socket.on("pong", () => (this.#lastHeardMs = performance.now()));
    socket.on("ping", () => (this.#lastHeardMs = performance.now()));
    socket.on("message", (data, isBinary) => {
      this.#lastHeardMs = performance.now();
      const decoded = decodeCollectorMessage(isBinary ? "" : (data as Buffer).toString("utf8"));
      if (decoded.ok) {
        if (decoded.value.type === "welcome") {
          this.#backoff.reset();
          this.#attempt = attempt; // Stay with a collector that works.
        }
        this.perform(session.receive(decoded.value));
      } else if (decoded.error.kind !== "unknown_type") {
        // Types that a later collector knows are not for this agent.
        failure = `the collector sent what this agent does not understand: ${decoded.error.detail}`;
        socket.close(CLOSE_CODES.badMessage, "not a message of this protocol");
      }
    });
    socket.on("close", (code, reason) => {
      clearInterval(this.#pingTimer);
      session.disconnected();
      const note = closeNote(code);
      if (note !== undefined) {
        failure = `${note.meaning}${reason.length > 0 ? ` (${reason.toString("utf8")})` : ""}`;
        advice ??= note.isHopeless ? note.reaction : undefined;
      }
      this.#retry(failure, advice, advice !== undefined);
    });
  }

  /** Sends a ping when nothing was heard for a while, and gives up on a dead or stuck connection. */
  #watch(socket: WebSocket): void {
    const silentMs = performance.now() - this.#lastHeardMs;
    const unackedMs = this.#options.session.oldestUnackedMs(performance.now()) ?? 0;
    if (silentMs > LIMITS.deadAfterMs || unackedMs > ACK_TIMEOUT_MS) {
      socket.terminate();
    } else if (silentMs > LIMITS.pingIntervalMs / 2) {
      socket.ping();
    }
  }

  #retry(reason: string, advice: string | undefined, isHopeless: boolean): void {
    if (this.#isStopped) {
      return;
    }
    const asked = Math.max(0, this.#notBeforeMs - performance.now());
    const retryInMs = asked + this.#backoff.nextMs(isHopeless);
    this.#options.events.disconnected(reason, advice, retryInMs);
    this.#retryTimer = setTimeout(() => void this.#connect(), retryInMs);
  }
}

function closeNote(
  code: number,
): { meaning: string; reaction: string; isHopeless: boolean } | undefined {
  const entry = Object.entries(CLOSE_CODES).find(([, value]) => value === code);
  if (entry === undefined) {
    return undefined;
  }
  const name = entry[0] as keyof typeof CLOSE_CODES;
  const isHopeless =
    name === "cloneRefused" || name === "unauthenticated" || name === "protocolVersion";
  return { ...CLOSE_NOTES[name], isHopeless };
}

function adviceForStatus(status: number): string | undefined {
  switch (status) {
    case HTTP_STATUSES.unauthenticated:
      return "the token is not one of the collector's: compare token_file with the collector's data_dir/tokens/ingest.token";
    case HTTP_STATUSES.originForbidden:
      return "something between adds an Origin header: connect without that proxy";
    case HTTP_STATUSES.notFound:
    case HTTP_STATUSES.badRequest:
      return "this is not a Sluice collector: check `collector` in the configuration";
    case HTTP_STATUSES.upgradeRequired:
      return "the collector speaks another version of the protocol: upgrade the older of the two";
    case HTTP_STATUSES.headersTooLarge:
      return "something between adds too many headers: connect without that proxy";
    case HTTP_STATUSES.tooManyRequests:
      return "too many failed attempts from this address: mend the token and wait a minute";
    default:
      return undefined;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
