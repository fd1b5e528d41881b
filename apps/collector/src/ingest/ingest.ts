import type { IncomingMessage, Server } from "node:http";
import type { Duplex } from "node:stream";
import { TLSSocket } from "node:tls";
import { HTTP_STATUSES, LIMITS, SUBPROTOCOL } from "@sluice/protocol";
import type { CommitReport, DroppedBytes, FrameOutcome, Store } from "@sluice/store";
import { WebSocketServer } from "ws";

import type { AgentDirectory } from "./agent-directory.ts";
import { AgentSocket } from "./agent-socket.ts";
import { hasTooManyHeaders, TOO_MANY_HEADERS } from "../server/request-headers.ts";
import type { ConnectionGate } from "../server/connection-gate.ts";
import type { AgentAccess } from "../access/agent-access.ts";
import type { Denial, Grant, GrantUse } from "../access/access-gate.ts";
import type { FailedAttempts } from "../access/failed-attempts.ts";
import { UnreadMessages } from "./unread-messages.ts";

/** The path that agents connect to. */
const AGENT_PATH = "/v1/agent";

/**
 * A pause drops what was on its way when it began, and a full pipe of batches can be more than the
 * volume has left. Gaps and advances need no credit, come during a pause too, and stay below this:
 * to send them back would only have them sent again.
 */
const TAKEN_WITHOUT_CREDIT_BYTES = 256 * 1024;

export interface IngestParts {
  readonly store: Store;
  readonly directory: AgentDirectory;
  readonly connections: Pick<ConnectionGate, "authenticated" | "isCrowded">;
  readonly access: AgentAccess;
  readonly failures: FailedAttempts;
  /** Agents must show a certificate that the configured authority has signed. */
  readonly wantsCertificate: boolean;
  readonly onRefused: (address: string, reason: string) => void;
  readonly onError: (error: unknown) => void;
}

/** Agents stay connected and send nothing more until `resume`. */
export interface IngestBrake {
  pause(): void;
  resume(): void;
}

/** Takes agents in: checks each upgrade before it happens, and hands commits to their sockets. */
export class Ingest {
  readonly #parts: IngestParts;
  readonly #brakes = new Set<IngestBrake>();
  readonly #webSockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: LIMITS.framePayloadBytes,
    maxFragments: LIMITS.messageFragments,
    handleProtocols: (offered) => (offered.has(SUBPROTOCOL) ? SUBPROTOCOL : false),
  });
  readonly #sockets = new Map<number, AgentSocket>();
  readonly #outbox = new UnreadMessages();
  #nextId = 1;
  /** Bytes of messages over all agents that wait for a commit. */
  #waitingBytes = 0;
  #creditBytes = LIMITS.creditPerAgentBytes;

  constructor(parts: IngestParts) {
    this.#parts = parts;
    parts.access.watch(({ isMeant, reason, mayReturn }) => {
      for (const socket of this.#sockets.values()) {
        if (!isMeant(socket)) {
          continue;
        }
        if (mayReturn) {
          socket.goAway(0);
        } else {
          socket.revoke(reason);
        }
      }
    });
  }

  attach(server: Server): void {
    server.on("upgrade", (request, socket, head) => this.#upgrade(request, socket, head));
  }

  /** Frames were committed and fsynced: the sockets whose frames they were may acknowledge. */
  committed(report: CommitReport): void {
    const outcomes = new Map<number, FrameOutcome[]>();
    for (const frame of report.frames) {
      const ofConnection = outcomes.get(frame.connection) ?? [];
      ofConnection.push(frame);
      outcomes.set(frame.connection, ofConnection);
    }
    const malformed = new Map(
      report.malformed.map(({ connection, detail }) => [connection, detail]),
    );
    for (const [connection, bytes] of report.messageBytes) {
      this.#waitingBytes -= bytes;
      const ofConnection = outcomes.get(connection) ?? [];
      this.#sockets.get(connection)?.committed(bytes, ofConnection, malformed.get(connection));
    }
  }

  /** The volume was full: the store has dropped these messages, and resets their streams later. */
  dropped(bytes: DroppedBytes): void {
    for (const [connection, count] of bytes) {
      this.#waitingBytes -= count;
      this.#sockets.get(connection)?.dropped(count);
    }
  }

  /** One of several that may stop agents from sending: they have credit while no brake is on. */
  brake(): IngestBrake {
    const brake: IngestBrake = {
      pause: () => {
        this.#brakes.add(brake);
        this.#grant(0);
      },
      resume: () => {
        this.#brakes.delete(brake);
        if (this.#brakes.size === 0) {
          this.#grant(LIMITS.creditPerAgentBytes);
        }
      },
    };
    return brake;
  }

  /** How many connections are meant. */
  count(isMeant: (use: GrantUse) => boolean): number {
    return [...this.#sockets.values()].filter((socket) => isMeant(socket)).length;
  }

  /** An agent that is connected is to replace its key now. */
  askToRotate(agentId: string): void {
    for (const socket of this.#sockets.values()) {
      if (socket.agentId === agentId) {
        socket.askToRotate();
      }
    }
  }

  goAway(retryAfterMs: number): void {
    for (const socket of this.#sockets.values()) {
      socket.goAway(retryAfterMs);
    }
  }

  #grant(creditBytes: number): void {
    this.#creditBytes = creditBytes;
    for (const socket of this.#sockets.values()) {
      socket.giveCredit(creditBytes);
    }
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    // Node takes its own listener off an upgraded socket: a peer that resets it must not end us.
    socket.on("error", () => socket.destroy());
    const address = request.socket.remoteAddress ?? "unknown";
    const entry = this.#enter(request, address);
    if ("status" in entry) {
      this.#parts.onRefused(address, entry.reason);
      refuse(socket, entry.status, entry.reason);
      return;
    }
    this.#webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      const id = this.#nextId++;
      const { store, directory, access, onRefused, onError } = this.#parts;
      const hasRoom = (bytes: number): boolean => {
        const isBatch = bytes > TAKEN_WITHOUT_CREDIT_BYTES;
        const isPaused = this.#creditBytes === 0;
        if ((isPaused && isBatch) || this.#waitingBytes + bytes > LIMITS.creditTotalBytes) {
          return false;
        }
        this.#waitingBytes += bytes;
        return true;
      };
      const agentSocket = new AgentSocket({
        id,
        socket: webSocket,
        store,
        directory,
        access,
        grant: entry.grant,
        hasRoom,
        creditBytes: () => this.#creditBytes,
        outbox: this.#outbox,
        onRefused: (reason) => onRefused(address, reason),
        onError,
      });
      this.#sockets.set(id, agentSocket);
      webSocket.once("close", () => this.#sockets.delete(id));
    });
  }

  #enter(
    request: IncomingMessage,
    address: string,
  ): { readonly grant: Grant } | { readonly status: number; readonly reason: string } {
    if (URL.parse(request.url ?? "/", "http://collector")?.pathname !== AGENT_PATH) {
      return { status: HTTP_STATUSES.notFound, reason: "no upgrade is served at this path" };
    }
    if (hasTooManyHeaders(request)) {
      return { status: HTTP_STATUSES.headersTooLarge, reason: TOO_MANY_HEADERS };
    }
    if (request.headers.origin !== undefined) {
      return {
        status: HTTP_STATUSES.originForbidden,
        reason: "an Origin header is not an agent's",
      };
    }
    if (this.#parts.wantsCertificate && !isCertified(request)) {
      return this.#deny(address, NO_CERTIFICATE);
    }
    // A good token always passes: agents behind one address do not pay for each other's mistakes.
    const verdict = this.#parts.access.verify(request.headers.authorization);
    if (!verdict.ok) {
      return this.#deny(address, verdict.denial);
    }
    this.#parts.connections.authenticated(request);
    const offered = request.headers["sec-websocket-protocol"] ?? "";
    if (!offered.split(/\s*,\s*/).includes(SUBPROTOCOL)) {
      return { status: HTTP_STATUSES.upgradeRequired, reason: `speak ${SUBPROTOCOL}` };
    }
    return this.#parts.connections.isCrowded(request)
      ? { status: HTTP_STATUSES.unavailable, reason: "too many connections" }
      : { grant: verdict.grant };
  }

  #deny(address: string, { message }: Denial): { status: number; reason: string } {
    const { failures } = this.#parts;
    if (failures.isBarred(address)) {
      return { status: HTTP_STATUSES.tooManyRequests, reason: "too many failed authentications" };
    }
    failures.count(address);
    return { status: HTTP_STATUSES.unauthenticated, reason: message };
  }
}

const NO_CERTIFICATE: Denial = {
  code: "unauthenticated",
  message: "this collector wants a client certificate: set tls.cert_file and tls.key_file",
  advice: "",
};

function isCertified({ socket }: IncomingMessage): boolean {
  return socket instanceof TLSSocket && socket.authorized;
}

function refuse(socket: Duplex, status: number, reason: string): void {
  const body = `${reason}\n`;
  socket.once("finish", () => socket.destroy());
  socket.end(
    `HTTP/1.1 ${status} Refused\r\nConnection: close\r\nContent-Type: text/plain\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}
