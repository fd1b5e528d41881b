import {
  claimedRawBytes,
  CLOSE_CODES,
  type CollectorEffect,
  type CollectorMessage,
  CollectorSession,
  decodeAgentMessage,
  encodeControl,
  LIMITS,
  type HelloMessage,
  type Labels,
  type OpenStream,
} from "@sluice/protocol";
import type { FrameOutcome, Store } from "@sluice/store";
import type { WebSocket } from "ws";

import type { Grant } from "../access/access-gate.ts";
import type { AgentAccess, AgentIdentity } from "../access/agent-access.ts";
import type { AgentDirectory, ConnectedAgent } from "./agent-directory.ts";
import { SocketPulse } from "./socket-pulse.ts";
import type { UnreadMessages } from "./unread-messages.ts";

/** How long an agent may take to answer a close. */
const CLOSE_WITHIN_MS = 1_000;

const TOO_MANY = `this agent has ${LIMITS.unfinishedPerAgent} streams that are not finished`;

export interface AgentSocketParts {
  readonly id: number;
  readonly socket: WebSocket;
  readonly store: Store;
  readonly directory: AgentDirectory;
  readonly access: Pick<AgentAccess, "identify" | "cloneSeen">;
  /** What the upgrade was let in by. */
  readonly grant: Grant;
  /** Whether the collector can hold this much more before its next commits. */
  readonly hasRoom: (bytes: number) => boolean;
  /** What an agent may have unacknowledged now: `welcome` states it. */
  readonly creditBytes: () => number;
  /** Of all agents together. */
  readonly outbox: UnreadMessages;
  /** The connection was ended for what its agent did. */
  readonly onRefused: (reason: string) => void;
  readonly onError: (error: unknown) => void;
}

/** The socket under a collector session: one connected agent. */
export class AgentSocket implements ConnectedAgent {
  readonly #parts: AgentSocketParts;
  readonly #session = new CollectorSession();
  readonly #helloTimer: NodeJS.Timeout;
  readonly #pulse: SocketPulse;
  #hello: HelloMessage | undefined;
  #agent = 0;
  #identity: AgentIdentity | undefined;
  /** A message was dropped for want of room, and the reset that makes the agent send it again is due. */
  #isShedding = false;

  constructor(parts: AgentSocketParts) {
    this.#parts = parts;
    const { socket } = parts;
    this.#helloTimer = setTimeout(
      () => this.#perform(this.#session.helloTimedOut()),
      LIMITS.helloTimeoutMs,
    );
    this.#pulse = new SocketPulse(socket);
    socket.on("message", (data: Buffer, isBinary) => {
      try {
        this.#receive(data, isBinary);
      } catch (error) {
        // A defect of ours that one agent's message brought out is no reason to end for all.
        parts.onError(error);
        this.close(CLOSE_CODES.internalError, "the collector failed");
      }
    });
    // A close with the reason's code follows, which its agent gets a moment to read.
    socket.on("error", () => this.#endSoon());
    socket.on("close", () => this.#closed());
  }

  get agentId(): string {
    return this.#hello?.agentId ?? "";
  }

  get instance(): string {
    return this.#hello?.instance ?? "";
  }

  get isClosed(): boolean {
    return this.#session.phase === "closed";
  }

  /** A commit that held messages of this connection was fsynced. */
  committed(takenBytes: number, outcomes: readonly FrameOutcome[], malformed?: string): void {
    const isReset = outcomes.some(
      ({ outcome }) => outcome.kind === "reset" && outcome.reason === "overloaded",
    );
    this.#isShedding &&= !isReset;
    this.#perform(this.#session.committed(takenBytes, outcomes));
    if (malformed !== undefined) {
      this.#perform(this.#session.malformed(malformed));
    }
  }

  /** Messages of this connection were taken over and then dropped: the reset comes with a commit. */
  dropped(bytes: number): void {
    this.#session.dropped(bytes);
  }

  get grant(): Grant {
    return this.#parts.grant;
  }

  /** The credit of all agents has changed. */
  giveCredit(creditBytes: number): void {
    this.#perform(this.#session.grant(creditBytes));
  }

  /** Whether the agent on this connection still answers; decides between a reconnect and a clone. */
  answersPing(withinMs: number): Promise<boolean> {
    return this.#pulse.answersPing(withinMs);
  }

  /** Ends the connection and fences off what of it is still waiting. */
  close(code: number, reason: string): void {
    this.#session.closed();
    this.#parts.store.disconnect(this.#parts.id);
    this.#parts.socket.close(code, reason);
    this.#endSoon();
  }

  goAway(retryAfterMs: number): void {
    if (this.#session.phase === "live") {
      this.#send({ type: "goaway", reason: "shutdown", retryAfterMs });
    }
    this.close(CLOSE_CODES.goingAway, "the collector stops");
  }

  /** What let it in has ended: it is told, and nothing of it is taken any more. */
  revoke(reason: string): void {
    if (this.#session.phase === "live") {
      this.#send({ type: "goaway", reason: "revoked" });
    }
    this.close(CLOSE_CODES.unauthenticated, reason);
  }

  /** The agent is to replace its key, at once. */
  askToRotate(): void {
    if (this.#session.phase === "live") {
      this.#send({ type: "rotate" });
    }
  }

  #receive(data: Buffer, isBinary: boolean): void {
    if (isBinary) {
      for (const effect of this.#session.receiveBinary(data.length, claimedRawBytes(data))) {
        if (effect.kind === "append") {
          this.#append(data);
        } else {
          this.#perform([effect]);
        }
      }
      return;
    }
    const decoded = decodeAgentMessage(data.toString("utf8"));
    if (decoded.ok) {
      this.#perform(this.#session.receive(decoded.value));
    } else if (decoded.error.kind !== "unknown_type") {
      // Types that a later agent knows are not for this collector.
      this.close(CLOSE_CODES.badMessage, decoded.error.detail.slice(0, 100));
    }
  }

  /** Takes a message, or drops it where the collector is full: its streams then go back to what is stored. */
  #append(message: Buffer): void {
    const { id, store, hasRoom } = this.#parts;
    if (hasRoom(message.length)) {
      store.append(id, message);
      return;
    }
    this.#session.refused();
    if (!this.#isShedding) {
      this.#isShedding = true;
      store.shed(id);
    }
  }

  #perform(effects: readonly CollectorEffect[]): void {
    for (const effect of effects) {
      switch (effect.kind) {
        case "send":
          this.#send(effect.message);
          break;
        case "close":
          this.close(effect.code, effect.reason);
          break;
        case "introduce":
          this.#introduce(effect.hello).catch(this.#parts.onError);
          break;
        case "open":
          this.#open(effect.streams).catch(this.#parts.onError);
          break;
        case "report":
          this.#parts.directory.report(this, effect.streams);
          break;
        case "append":
          break;
        default:
          effect satisfies never;
      }
    }
  }

  async #introduce(hello: HelloMessage): Promise<void> {
    const { store, directory, access, grant } = this.#parts;
    this.#hello = hello;
    const identified = await access.identify(grant, hello);
    if (!identified.ok) {
      this.close(CLOSE_CODES.unauthenticated, identified.reason);
      return;
    }
    const admitted = await directory.admit(this);
    if (!admitted) {
      const isClone = !this.isClosed;
      this.close(CLOSE_CODES.cloneRefused, "another live agent has this agent id");
      if (isClone) {
        await access.cloneSeen(hello.agentId);
      }
      return;
    }
    const { agentId, version } = hello;
    const { host, rotate } = identified.identity;
    this.#identity = identified.identity;
    const labels = this.#labelled(hello.labels);
    const known = await store.introduce({ agentId, host, version, labels });
    if (this.#session.phase === "closed") {
      return; // It left while the old connection or the store was asked.
    }
    this.#agent = known.agent;
    clearTimeout(this.#helloTimer);
    directory.introduced(this, { hello, agent: known.agent });
    this.#perform(
      this.#session.welcomed({
        storeId: store.storeId,
        creditBytes: this.#parts.creditBytes(),
        clockUs: Date.now() * 1000,
        unfinished: known.unfinished,
      }),
    );
    if (rotate) {
      this.askToRotate();
    }
  }

  async #open(streams: readonly OpenStream[]): Promise<void> {
    const { id, store, directory } = this.#parts;
    const host = this.#identity?.host ?? "";
    const labelled = streams.map((each) => ({ ...each, labels: this.#labelled(each.labels) }));
    const opened = await store.openStreams(id, this.#agent, host, labelled);
    directory.opened(this, opened);
    this.#perform(this.#session.opened(opened));
    if (opened.length < streams.length) {
      const begun = new Set(opened.map(({ stream }) => stream));
      for (const { stream } of streams) {
        if (!begun.has(stream) && this.#session.phase === "live") {
          this.#send({ type: "failed", stream, code: "too_many_streams", message: TOO_MANY });
        }
      }
    }
  }

  #labelled(labels: Labels): Labels {
    return { ...labels, ...this.#identity?.labels };
  }

  /** What an agent does not read is held for it, up to a limit: it may be hostile, or stuck. */
  #send(message: CollectorMessage): void {
    const { socket, outbox, onRefused } = this.#parts;
    const text = encodeControl(message);
    if (!outbox.hasRoom(text.length, socket.bufferedAmount)) {
      onRefused("it does not read what it is sent");
      this.#session.closed();
      socket.terminate();
      return;
    }
    socket.send(text, outbox.sending(text.length));
  }

  #endSoon(): void {
    setTimeout(() => this.#parts.socket.terminate(), CLOSE_WITHIN_MS).unref();
  }

  #closed(): void {
    clearTimeout(this.#helloTimer);
    this.#pulse[Symbol.dispose]();
    this.#session.closed();
    this.#parts.store.disconnect(this.#parts.id);
    this.#parts.directory.left(this);
  }
}
