import {
  compressPayloadSync,
  encodeColumns,
  encodeMessage,
  PAYLOAD_CODEC_ZSTD,
} from "@sluice/protocol";
import { type CommitReport, Store } from "@sluice/store";

export interface WrittenLine {
  readonly body: string | Uint8Array;
  readonly timeUs: number;
  /** Default: 9, info. */
  readonly severity?: number;
}

const LF = Buffer.from("\n");

interface Position {
  readonly epoch: number;
  readonly ordinal: number;
  readonly nextSeq: number;
}

/** A store with a few streams, which a test writes to batch by batch. */
export class FilledStore implements AsyncDisposable {
  readonly store: Store;
  readonly #reports: CommitReport[];
  readonly #positions: Position[];
  readonly #wake: { notify: () => void };

  private constructor(
    store: Store,
    positions: readonly Position[],
    reports: CommitReport[],
    wake: { notify: () => void },
  ) {
    this.store = store;
    this.#positions = [...positions];
    this.#reports = reports;
    this.#wake = wake;
  }

  /** With one stream of host web-1 for each source. */
  static async open(
    dataDir: string,
    sources: readonly string[] = ["/var/log/app.log"],
  ): Promise<FilledStore> {
    const reports: CommitReport[] = [];
    const wake = { notify: (): void => undefined };
    const store = await Store.open(dataDir, {
      committed: (report) => {
        reports.push(report);
        wake.notify();
      },
      failed: (error) => {
        throw error;
      },
      full: () => undefined,
      noticed: () => undefined,
    });
    const agent = { agentId: "a-1", host: "web-1", version: "1", labels: { env: "prod" } };
    const { agent: row } = await store.introduce(agent);
    const openings = sources.map((source, stream) => ({
      stream,
      source,
      generation: 0,
      initialCursor: new Uint8Array(),
      labels: {},
    }));
    const positions = await store.openStreams(1, row, "web-1", openings);
    return new FilledStore(store, positions, reports, wake);
  }

  /** Commits lines as one batch of the stream of a source, by its place among them. */
  async write(lines: readonly WrittenLine[], stream = 0): Promise<void> {
    const position = this.#positions[stream];
    if (position === undefined) {
      throw new Error(`stream ${stream} was not opened`);
    }
    const { epoch, ordinal, nextSeq } = position;
    const bodies = lines.map(({ body }) => Buffer.from(body as string));
    const bodyOffsets = new Uint32Array(lines.length + 1);
    bodies.forEach((body, i) => (bodyOffsets[i + 1] = (bodyOffsets[i] ?? 0) + body.length + 1));
    const timesUs = Float64Array.from(lines, ({ timeUs }) => timeUs);
    const raw = encodeColumns({
      count: lines.length,
      timesUs,
      severities: Uint8Array.from(lines, ({ severity }) => severity ?? 9),
      bodyOffsets,
      bodies: Buffer.concat(bodies.flatMap((body) => [body, LF])),
      attributes: undefined,
    });
    const message = encodeMessage([
      {
        kind: "batch",
        stream,
        epoch,
        ordinal,
        firstSeq: nextSeq,
        count: lines.length,
        cursor: new Uint8Array(),
        minTimeUs: Math.min(...timesUs),
        maxTimeUs: Math.max(...timesUs),
        rawBytes: raw.length,
        codec: PAYLOAD_CODEC_ZSTD,
        payload: compressPayloadSync(raw),
      },
    ]);
    this.#positions[stream] = { epoch, ordinal: ordinal + 1, nextSeq: nextSeq + lines.length };
    const told = this.#reports.flatMap(({ frames }) => frames).length;
    this.store.append(1, Uint8Array.from(message));
    const outcome = (): string | undefined =>
      this.#reports.flatMap(({ frames }) => frames).at(told)?.outcome.kind;
    while (outcome() === undefined) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake.notify = resolve;
      await promise;
    }
    if (outcome() !== "accepted") {
      throw new Error(`the batch was not stored: ${outcome()}`);
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.store[Symbol.asyncDispose]();
  }
}
