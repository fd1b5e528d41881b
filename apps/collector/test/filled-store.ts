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

/** A store with one stream, which a test writes to batch by batch. */
export class FilledStore implements AsyncDisposable {
  readonly #store: Store;
  readonly #reports: CommitReport[];
  #position: { epoch: number; ordinal: number; nextSeq: number };
  readonly #wake: { notify: () => void };

  private constructor(
    store: Store,
    position: { epoch: number; ordinal: number; nextSeq: number },
    reports: CommitReport[],
    wake: { notify: () => void },
  ) {
    this.#store = store;
    this.#position = position;
    this.#reports = reports;
    this.#wake = wake;
  }

  static async open(dataDir: string): Promise<FilledStore> {
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
    const source = "/var/log/app.log";
    const opening = {
      stream: 0,
      source,
      generation: 0,
      initialCursor: new Uint8Array(),
      labels: {},
    };
    const [position] = await store.openStreams(1, row, "web-1", [opening]);
    if (position === undefined) {
      throw new Error("the stream was not opened");
    }
    return new FilledStore(store, position, reports, wake);
  }

  /** Commits lines as one batch. */
  async write(lines: readonly WrittenLine[]): Promise<void> {
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
        stream: 0,
        epoch: this.#position.epoch,
        ordinal: this.#position.ordinal,
        firstSeq: this.#position.nextSeq,
        count: lines.length,
        cursor: new Uint8Array(),
        minTimeUs: Math.min(...timesUs),
        maxTimeUs: Math.max(...timesUs),
        rawBytes: raw.length,
        codec: PAYLOAD_CODEC_ZSTD,
        payload: compressPayloadSync(raw),
      },
    ]);
    const { epoch, ordinal, nextSeq } = this.#position;
    this.#position = { epoch, ordinal: ordinal + 1, nextSeq: nextSeq + lines.length };
    this.#store.append(1, Uint8Array.from(message));
    const outcome = (): string | undefined =>
      this.#reports.flatMap(({ frames }) => frames).at(ordinal)?.outcome.kind;
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
    return this.#store[Symbol.asyncDispose]();
  }
}
