import { CLOSE_CODES, type HelloMessage, LIMITS, type StreamBacklog } from "@sluice/protocol";

/** A connection as the directory sees it. */
export interface ConnectedAgent {
  readonly agentId: string;
  readonly instance: string;
  readonly isClosed: boolean;
  answersPing(withinMs: number): Promise<boolean>;
  close(code: number, reason: string): void;
}

interface Entry {
  readonly connection: ConnectedAgent;
  readonly hello: HelloMessage;
  /** Its row in the store. */
  readonly agent: number;
  /** This connection's stream number -> stream id. */
  readonly streams: Map<number, number>;
  /** stream id -> what the agent last said of it */
  readonly backlogs: Map<number, StreamBacklog>;
}

/** What is known of an agent only while it is connected. */
export interface Presence {
  readonly connectedAgents: ReadonlySet<number>;
  /** stream id -> backlog */
  readonly backlogs: ReadonlyMap<number, StreamBacklog>;
  /** Agents of which two live instances were seen. */
  readonly clones: ReadonlySet<string>;
}

/** Who is connected: one connection per agent id, and what each last said of its backlog. */
export class AgentDirectory {
  readonly #byId = new Map<string, Entry>();
  /** The connection that an agent id belongs to, from its admission on. */
  readonly #holders = new Map<string, ConnectedAgent>();
  /** The newest admission under way, behind which the next one waits. */
  readonly #admissions = new Map<string, Promise<boolean>>();
  readonly #clones = new Set<string>();

  get connections(): number {
    return this.#byId.size;
  }

  isConnected(agentId: string): boolean {
    return this.#holders.get(agentId)?.isClosed === false;
  }

  /** Streams that connected agents have opened. */
  get openStreams(): number {
    return [...this.#byId.values()].reduce((sum, { streams }) => sum + streams.size, 0);
  }

  /**
   * Decides about a newcomer, one at a time for each agent id. The same instance has lost its old
   * connection and replaces it. Of another instance the old connection is asked first: silent, it
   * is replaced; answering, the newcomer is a clone.
   *
   * @returns false for a clone, and for a newcomer that left meanwhile
   */
  admit(newcomer: ConnectedAgent): Promise<boolean> {
    const { agentId } = newcomer;
    const before = this.#admissions.get(agentId) ?? Promise.resolve(false);
    const admission = before.then(() => this.#decide(newcomer));
    this.#admissions.set(agentId, admission);
    return admission.finally(() => {
      if (this.#admissions.get(agentId) === admission) {
        this.#admissions.delete(agentId);
      }
    });
  }

  async #decide(newcomer: ConnectedAgent): Promise<boolean> {
    const { agentId } = newcomer;
    const old = this.#holders.get(agentId);
    if (old !== undefined && !old.isClosed) {
      const isOther = old.instance !== newcomer.instance;
      if (isOther && (await old.answersPing(LIMITS.replacePingTimeoutMs))) {
        this.#clones.add(agentId);
        return false;
      }
      old.close(CLOSE_CODES.replaced, "a newer connection of this agent took over");
    }
    if (newcomer.isClosed) {
      return false;
    }
    this.#holders.set(agentId, newcomer);
    return true;
  }

  introduced(connection: ConnectedAgent, known: { hello: HelloMessage; agent: number }): void {
    this.#byId.set(connection.agentId, {
      connection,
      ...known,
      streams: new Map(),
      backlogs: new Map(),
    });
  }

  opened(
    connection: ConnectedAgent,
    streams: ReadonlyArray<{ readonly stream: number; readonly streamId: number }>,
  ): void {
    const entry = this.#entry(connection);
    for (const { stream, streamId } of streams) {
      entry?.streams.set(stream, streamId);
    }
  }

  report(connection: ConnectedAgent, backlogs: readonly StreamBacklog[]): void {
    const entry = this.#entry(connection);
    for (const backlog of backlogs) {
      const streamId = entry?.streams.get(backlog.stream);
      if (streamId !== undefined) {
        entry?.backlogs.set(streamId, backlog);
      }
    }
  }

  left(connection: ConnectedAgent): void {
    if (this.#holders.get(connection.agentId) === connection) {
      this.#holders.delete(connection.agentId);
    }
    if (this.#entry(connection) !== undefined) {
      this.#byId.delete(connection.agentId);
    }
  }

  presence(): Presence {
    const entries = [...this.#byId.values()];
    return {
      connectedAgents: new Set(entries.map(({ agent }) => agent)),
      backlogs: new Map(entries.flatMap(({ backlogs }) => [...backlogs])),
      clones: this.#clones,
    };
  }

  #entry(connection: ConnectedAgent): Entry | undefined {
    const entry = this.#byId.get(connection.agentId);
    return entry?.connection === connection ? entry : undefined;
  }
}
