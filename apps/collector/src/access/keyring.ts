import { hashSecret, mintId, mintSecret } from "./credential.ts";
import {
  type AgentRecord,
  EMPTY_KEY_FILE,
  type EnrolmentRecord,
  type KeyFile,
  readKeyFile,
  type Scope,
  type TokenRecord,
  writeKeyFile,
} from "./key-file.ts";

/** Whose secret it is that somebody has shown. */
export type KeyHolder =
  | { readonly kind: "token"; readonly token: TokenRecord }
  | { readonly kind: "agent"; readonly agent: AgentRecord; readonly keyHash: string }
  | { readonly kind: "enrolment"; readonly enrolment: EnrolmentRecord };

/** What has ended and is still told apart from what never was: an answer that says so helps. */
const REMEMBERED_MS = 30 * 86_400_000;

/**
 * Tokens, enrolments and the keys of agents: hashes in memory and in `data_dir/keys.json`. Only the
 * collector writes the file; each change is on the disk before anybody is told of it.
 */
export class Keyring {
  readonly #dataDir: string;
  readonly #nowMs: () => number;
  #content: KeyFile;
  #byHash = new Map<string, KeyHolder>();
  #writing: Promise<unknown> = Promise.resolve();

  private constructor(dataDir: string, nowMs: () => number, content: KeyFile) {
    this.#dataDir = dataDir;
    this.#nowMs = nowMs;
    this.#content = content;
    this.#index();
  }

  /** @throws Failure where the file is there and cannot be read */
  static async load(dataDir: string, nowMs: () => number): Promise<Keyring> {
    return new Keyring(dataDir, nowMs, (await readKeyFile(dataDir)) ?? EMPTY_KEY_FILE);
  }

  get content(): KeyFile {
    return this.#content;
  }

  holderOf(secret: string): KeyHolder | undefined {
    return this.#byHash.get(hashSecret(secret));
  }

  agent(agentId: string): AgentRecord | undefined {
    return this.#content.agents.find((agent) => agent.agentId === agentId);
  }

  /** Whether a key is anybody's but this agent's. */
  isKnownHash(hash: string, agentId: string | undefined): boolean {
    const holder = this.#byHash.get(hash);
    return holder !== undefined && !(holder.kind === "agent" && holder.agent.agentId === agentId);
  }

  /** Carries out a change of the file's content: one at a time, and all or nothing. */
  async change<T>(
    make: (content: KeyFile, nowMs: number) => { content: KeyFile; result: T },
  ): Promise<T> {
    const changed = this.#writing.then(async () => {
      const nowMs = this.#nowMs();
      const { content, result } = make(this.#content, nowMs);
      if (content !== this.#content) {
        const kept = withoutOld(content, nowMs);
        await writeKeyFile(this.#dataDir, kept);
        this.#content = kept;
        this.#index();
      }
      return result;
    });
    this.#writing = changed.catch(() => undefined); // its caller is told; the next change is not affected
    return changed;
  }

  /** Replaces what is known of one agent; undefined leaves everything as it is. */
  changeAgent(
    agentId: string,
    edit: (agent: AgentRecord, nowMs: number) => AgentRecord,
  ): Promise<AgentRecord | undefined> {
    return this.change((content, nowMs) => {
      const agent = content.agents.find((each) => each.agentId === agentId);
      if (agent === undefined) {
        return { content, result: undefined };
      }
      const edited = edit(agent, nowMs);
      const agents = content.agents.map((each) => (each === agent ? edited : each));
      return { content: edited === agent ? content : { ...content, agents }, result: edited };
    });
  }

  /** An agent that was forgotten is to be listed again. */
  async remember(agentId: string): Promise<void> {
    await this.change((content) => {
      const forgotten = content.forgotten.filter((each) => each !== agentId);
      return { content: { ...content, forgotten }, result: undefined };
    });
  }

  /** Mints a token; the secret is known to its caller alone. */
  async mintToken(wanted: {
    readonly name: string;
    readonly scope: Scope;
    readonly ttlMs: number | undefined;
  }): Promise<{ readonly token: TokenRecord; readonly secret: string }> {
    const secret = mintSecret("token");
    return this.change((content, nowMs) => {
      const { name, scope, ttlMs } = wanted;
      const token: TokenRecord = {
        id: this.freeId(),
        name,
        scope,
        hash: hashSecret(secret),
        createdMs: nowMs,
        expiresMs: ttlMs === undefined ? null : nowMs + ttlMs,
        revokedMs: null,
      };
      return {
        content: { ...content, tokens: [...content.tokens, token] },
        result: { token, secret },
      };
    });
  }

  async mintEnrolment(
    wanted: Pick<EnrolmentRecord, "uses" | "hosts" | "labels"> & { readonly ttlMs: number },
  ): Promise<{ readonly enrolment: EnrolmentRecord; readonly secret: string }> {
    const secret = mintSecret("enrolment");
    return this.change((content, nowMs) => {
      const { ttlMs, uses, hosts, labels } = wanted;
      const enrolment: EnrolmentRecord = {
        id: this.freeId(),
        hash: hashSecret(secret),
        createdMs: nowMs,
        expiresMs: nowMs + ttlMs,
        revokedMs: null,
        uses,
        hosts,
        labels,
        usedBy: [],
      };
      const enrolments = [...content.enrolments, enrolment];
      return { content: { ...content, enrolments }, result: { enrolment, secret } };
    });
  }

  freeId(): string {
    const { tokens, enrolments } = this.#content;
    const taken = new Set([...tokens, ...enrolments].map(({ id }) => id));
    return mintId((id) => taken.has(id));
  }

  #index(): void {
    const { tokens, enrolments, agents } = this.#content;
    this.#byHash = new Map<string, KeyHolder>([
      ...tokens.map((token) => [token.hash, { kind: "token", token }] as const),
      ...enrolments.map((enrolment) => [enrolment.hash, { kind: "enrolment", enrolment }] as const),
      ...agents.flatMap((agent) =>
        agent.keys.map(
          ({ hash }) => [hash, { kind: "agent", agent, keyHash: hash }] as [string, KeyHolder],
        ),
      ),
    ]);
  }
}

function withoutOld(content: KeyFile, nowMs: number): KeyFile {
  const isKept = (each: Pick<TokenRecord, "expiresMs" | "revokedMs">): boolean => {
    const endMs = each.revokedMs ?? each.expiresMs;
    return endMs === null || nowMs - endMs < REMEMBERED_MS;
  };
  return {
    ...content,
    tokens: content.tokens.filter(isKept),
    enrolments: content.enrolments.filter(isKept),
  };
}
