import {
  type AgentEffect,
  type AgentMessage,
  type AgentSession,
  CLOSE_CODES,
  decodeCollectorMessage,
  encodeControl,
  LIMITS,
  SUBPROTOCOL,
} from "@sluice/protocol";
import WebSocket from "ws";

import { Backoff } from "./backoff.ts";
import { adviceForStatus, closeNote } from "./collector-advice.ts";
import { isReady, readReason } from "./collector-probe.ts";
import { frameMask } from "./frame-mask.ts";
import { describeTlsError } from "./link-advice.ts";
import type { TlsIdentity } from "./tls-identity.ts";

/** Nothing was acknowledged for this long though something is on its way: the connection is not to be trusted. */
const ACK_TIMEOUT_MS = 60_000;

/** How long the other side may take to answer a close. */
const CLOSE_WITHIN_MS = 1_000;

export interface Disconnection {
  readonly collector: string;
  readonly reason: string;
  /** What to do, where waiting will not mend it. */
  readonly advice: string | undefined;
  readonly retryInMs: number;
}

interface UplinkEvents {
  /** What the session wants of the agent, but for sending. */
  effect(effect: Exclude<AgentEffect, { kind: "send" }>): void;
  connected(url: string): void;
  /** The connection is gone; what was on its way is void. */
  disconnected(disconnection: Disconnection): void;
}

/** Where to connect, and as whom. */
export interface UplinkTarget {
  /** In order of preference; each failed attempt moves on to the next. */
  readonly urls: readonly string[];
  /** Read anew for each attempt, so that a rotated token is taken up. */
  readonly token: () => Promise<string>;
  /** Whom to trust and what to show; read anew for each attempt, too. */
  readonly tls: () => Promise<TlsIdentity>;
  readonly caFile: string | undefined;
  /** While connected to another than the first: how often it is seen whether that answers again. */
  readonly failbackMs: number | undefined;
}

export interface UplinkOptions {
  readonly target: UplinkTarget;
  readonly session: AgentSession;
  readonly events: UplinkEvents;
  readonly random: () => number;
}

/** The socket under the agent's session: one connection at a time, reconnected for ever. */
export class Uplink implements AsyncDisposable {
  readonly #options: UplinkOptions;
  readonly #backoff: Backoff;
  #socket: WebSocket | undefined;
  #target: UplinkTarget;
  #attempt = 0;
  /** Counts what `suspend` has ended: an attempt of an earlier one is void. */
  #suspensions = 0;
  #retryTimer: NodeJS.Timeout | undefined;
  #pingTimer: NodeJS.Timeout | undefined;
  #failbackTimer: NodeJS.Timeout | undefined;
  #lastHeardMs = 0;
  #isStopped = false;
  /** Set by a `goaway`: when the collector wants to be asked again. */
  #notBeforeMs = 0;

  constructor(options: UplinkOptions) {
    this.#options = options;
    this.#target = options.target;
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

  /** Drops the connection, or the attempt at one: nothing is sent or heard until `resume`. */
  suspend(): void {
    this.#suspensions += 1;
    clearTimeout(this.#retryTimer);
    clearInterval(this.#pingTimer);
    clearTimeout(this.#failbackTimer);
    const socket = this.#socket;
    this.#socket = undefined;
    this.#options.session.disconnected();
    socket?.close(CLOSE_CODES.goingAway, "the agent connects anew");
    const terminate = setTimeout(() => socket?.terminate(), CLOSE_WITHIN_MS);
    terminate.unref();
    socket?.once("close", () => clearTimeout(terminate));
  }

  /** Connects at once, to the first of the target's collectors. */
  resume(target: UplinkTarget = this.#target): void {
    this.#target = target;
    this.#attempt = 0;
    this.#backoff.reset();
    void this.#connect();
  }

  /** Closes in good order: the collector takes what has arrived. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#retryTimer);
    clearTimeout(this.#failbackTimer);
    const socket = this.#socket;
    if (socket === undefined || socket.readyState === WebSocket.CLOSED) {
      return;
    }
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => socket.terminate(), CLOSE_WITHIN_MS);
      socket.once("close", () => {
        clearTimeout(timer);
        resolve();
      });
      socket.close(CLOSE_CODES.goingAway, "the agent stops");
    });
  }

  async #connect(): Promise<void> {
    const { session, events } = this.#options;
    const { urls } = this.#target;
    const suspensions = this.#suspensions;
    const attempt = this.#attempt++;
    const collector = urls[attempt % urls.length] as string;
    let token: string;
    let tls: TlsIdentity;
    try {
      token = await this.#target.token();
      tls = await this.#target.tls();
    } catch (error) {
      if (this.#suspensions === suspensions) {
        this.#retry({ collector, reason: messageOf(error), advice: undefined });
      }
      return;
    }
    if (this.#isStopped || this.#suspensions !== suspensions) {
      return;
    }
    const url = new URL("/v1/agent", collector);
    const generateMask = frameMask(url);
    const socket = new WebSocket(url, SUBPROTOCOL, {
      headers: { authorization: `Bearer ${token}` },
      ...tls,
      perMessageDeflate: false,
      ...(generateMask !== undefined && { generateMask }),
      maxPayload: LIMITS.controlBytes,
      handshakeTimeout: LIMITS.handshakeTimeoutMs,
    });
    this.#socket = socket;
    let failure = "the connection was closed";
    let advice: string | undefined;
    socket.on("unexpected-response", (request, response) => {
      const status = response.statusCode ?? 0;
      failure = `the collector answered ${status}`;
      advice = adviceForStatus(status);
      void readReason(response).then((reason) => {
        failure = reason === undefined ? failure : `${failure}: ${reason}`;
        request.destroy();
        socket.terminate();
      });
    });
    socket.on("error", (error) => {
      const ofTls = describeTlsError(error, collector, this.#target.caFile);
      failure = advice === undefined ? (ofTls?.message ?? messageOf(error)) : failure;
      advice ??= ofTls?.advice;
    });
    socket.on("open", () => {
      if (this.#socket !== socket) {
        return;
      }
      this.#lastHeardMs = performance.now();
      this.#pingTimer = setInterval(() => this.#watch(socket), LIMITS.pingIntervalMs / 4);
      events.connected(collector);
      this.perform(session.connected(Date.now() * 1000));
    });
    socket.on("pong", () => (this.#lastHeardMs = performance.now()));
    socket.on("ping", () => (this.#lastHeardMs = performance.now()));
    socket.on("message", (data, isBinary) => {
      if (this.#socket !== socket) {
        return;
      }
      this.#lastHeardMs = performance.now();
      const decoded = decodeCollectorMessage(isBinary ? "" : (data as Buffer).toString("utf8"));
      if (decoded.ok) {
        if (decoded.value.type === "welcome") {
          this.#backoff.reset();
          this.#attempt = attempt; // Stay with a collector that works.
          this.#watchFirst(attempt % urls.length);
        }
        this.perform(session.receive(decoded.value));
      } else if (decoded.error.kind !== "unknown_type") {
        // Types that a later collector knows are not for this agent.
        failure = `the collector sent what this agent does not understand: ${decoded.error.detail}`;
        socket.close(CLOSE_CODES.badMessage, "not a message of this protocol");
      }
    });
    socket.on("close", (code, reason) => {
      if (this.#socket !== socket) {
        return;
      }
      clearInterval(this.#pingTimer);
      clearTimeout(this.#failbackTimer);
      session.disconnected();
      const note = closeNote(code);
      if (note !== undefined) {
        failure = `${note.meaning}${reason.length > 0 ? ` (${reason.toString("utf8")})` : ""}`;
        advice ??= note.isHopeless ? note.reaction : undefined;
      }
      this.#retry({ collector, reason: failure, advice });
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

  /** While it is another that serves: sees from time to time whether the first collector does again. */
  #watchFirst(index: number): void {
    const { urls, failbackMs } = this.#target;
    const [first] = urls;
    if (index === 0 || failbackMs === undefined || first === undefined) {
      return;
    }
    // Not all agents of a fleet at once.
    const waitMs = failbackMs * (0.75 + this.#options.random() / 2);
    const socket = this.#socket;
    this.#failbackTimer = setTimeout(() => {
      void isReady(first, this.#target.tls).then((ready) => {
        if (this.#socket !== socket || socket?.readyState !== WebSocket.OPEN || this.#isStopped) {
          return;
        }
        if (!ready) {
          this.#watchFirst(index);
          return;
        }
        this.suspend();
        const reason = `the first collector, ${first}, answers again`;
        const collector = urls[index] as string;
        this.#options.events.disconnected({ collector, reason, advice: undefined, retryInMs: 0 });
        this.resume();
      });
    }, waitMs);
  }

  #retry({ collector, reason, advice }: Omit<Disconnection, "retryInMs">): void {
    if (this.#isStopped) {
      return;
    }
    const asked = Math.max(0, this.#notBeforeMs - performance.now());
    const retryInMs = asked + this.#backoff.nextMs(advice !== undefined);
    this.#options.events.disconnected({ collector, reason, advice, retryInMs });
    this.#retryTimer = setTimeout(() => void this.#connect(), retryInMs);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
