import { readFile, rename } from "node:fs/promises";
import { crc32 } from "node:zlib";
import * as z from "zod/mini";

import { replaceFile } from "@sluice/service";

/** How far a store has acknowledged a stream. */
export interface Checkpoint {
  readonly nextSeq: number;
  readonly cursor: Uint8Array;
}

const FILE = z.object({
  version: z.literal(1),
  /** One snapshot per configured source, by its place in the configuration's identity. */
  sources: z.record(z.string(), z.unknown()),
  /** store id -> stream -> how far it is acknowledged there */
  stores: z.record(
    z.string(),
    z.record(z.string(), z.object({ nextSeq: z.number(), cursor: z.string() })),
  ),
  /** store id -> stream -> where it ended; a state of an older agent has none. */
  finished: z.optional(z.record(z.string(), z.record(z.string(), z.number()))),
});

/** So many finished streams are remembered of each store, the latest ones: some ten thousand bytes. */
const MOST_FINISHED = 1024;

/** Acks within this time share one write. */
const WRITE_EVERY_MS = 1_000;

/**
 * The agent's own memory, `state_dir/state.json`: the generations its sources have seen, and per
 * store id what was acknowledged. The collector's cursor decides where reading goes on; this
 * serves where the collector does not know, or knows less than it did.
 */
export class Checkpoints implements AsyncDisposable {
  readonly #path: string;
  readonly #sources: Map<string, unknown>;
  readonly #stores: Map<string, Map<string, Checkpoint>>;
  readonly #finished: Map<string, Map<string, number>>;
  readonly #snapshots = new Map<string, () => unknown>();
  readonly #onError: (error: unknown) => void;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();
  /** A write that has not begun: whoever asks meanwhile shares it. */
  #queued: Promise<void> | undefined;
  /** The file was there and cannot be used: what it held has to come from the collector. */
  readonly isLost: boolean;

  private constructor(
    path: string,
    state: z.infer<typeof FILE> | undefined,
    isLost: boolean,
    onError: (error: unknown) => void,
  ) {
    this.#path = path;
    this.isLost = isLost;
    this.#onError = onError;
    this.#sources = new Map(Object.entries(state?.sources ?? {}));
    this.#finished = new Map(
      Object.entries(state?.finished ?? {}).map(([storeId, streams]) => [
        storeId,
        new Map(Object.entries(streams)),
      ]),
    );
    this.#stores = new Map(
      Object.entries(state?.stores ?? {}).map(([storeId, streams]) => [
        storeId,
        new Map(
          Object.entries(streams).map(([name, { nextSeq, cursor }]) => [
            name,
            { nextSeq, cursor: Buffer.from(cursor, "base64") },
          ]),
        ),
      ]),
    );
  }

  /**
   * A file that is torn or damaged is set aside as `state.json.damaged`, for a human.
   *
   * @param isKnownAgent this agent has run before, so that an absent file is a lost one
   * @param onError a write failed
   */
  static async load(
    path: string,
    isKnownAgent: boolean,
    onError: (error: unknown) => void,
  ): Promise<Checkpoints> {
    let text: string;
    try {
      text = await readFile(path, "utf8");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") {
        throw error;
      }
      return new Checkpoints(path, undefined, isKnownAgent, onError);
    }
    const parsed = FILE.safeParse(parseState(text));
    if (!parsed.success) {
      await rename(path, `${path}.damaged`);
    }
    return new Checkpoints(path, parsed.data, !parsed.success, onError);
  }

  /** What a source returned from `snapshot` in an earlier run. */
  source(id: string): unknown {
    return this.#sources.get(id);
  }

  /** Asks this for the source's state at each write. */
  attach(id: string, snapshot: () => unknown): void {
    this.#snapshots.set(id, snapshot);
  }

  /** The source is not configured any more; its state stays as it is now. */
  detach(id: string): void {
    this.#sources.set(id, this.#snapshots.get(id)?.());
    this.#snapshots.delete(id);
  }

  /** States of sources that are not attached: those of configurations before. */
  unattached(): ReadonlyMap<string, unknown> {
    return new Map([...this.#sources].filter(([id]) => !this.#snapshots.has(id)));
  }

  /** Puts a state in the place of one of those; nothing in it: it is forgotten. */
  replace(id: string, state: unknown): void {
    if (state === undefined) {
      this.#sources.delete(id);
    } else {
      this.#sources.set(id, state);
    }
  }

  isKnownStore(storeId: string): boolean {
    return this.#stores.has(storeId);
  }

  get(storeId: string, stream: string): Checkpoint | undefined {
    return this.#stores.get(storeId)?.get(stream);
  }

  /** The furthest that any store has acknowledged the stream. */
  furthest(stream: string): Checkpoint | undefined {
    let furthest: Checkpoint | undefined;
    for (const streams of this.#stores.values()) {
      const checkpoint = streams.get(stream);
      if (checkpoint !== undefined && checkpoint.nextSeq >= (furthest?.nextSeq ?? 0)) {
        furthest = checkpoint;
      }
    }
    return furthest;
  }

  /** Notes an ack; it reaches the disk within a second. */
  acked(storeId: string, stream: string, checkpoint: Checkpoint): void {
    this.store(storeId).set(stream, checkpoint);
    this.#timer ??= setTimeout(() => void this.write().catch(this.#onError), WRITE_EVERY_MS);
  }

  /** The store's streams; a store that was not known is from now on. */
  store(storeId: string): Map<string, Checkpoint> {
    const streams = this.#stores.get(storeId) ?? new Map<string, Checkpoint>();
    this.#stores.set(storeId, streams);
    return streams;
  }

  /** The store has acknowledged the stream's end: no other is asked about it any more. */
  finish(storeId: string, stream: string, nextSeq: number): void {
    for (const streams of this.#stores.values()) {
      streams.delete(stream);
    }
    const finished = this.#finished.get(storeId) ?? new Map<string, number>();
    this.#finished.set(storeId, finished);
    finished.delete(stream);
    finished.set(stream, nextSeq);
    for (const oldest of finished.keys()) {
      if (finished.size <= MOST_FINISHED) {
        break;
      }
      finished.delete(oldest);
    }
  }

  /** Where a stream ended that this store acknowledged to its end; undefined for any other. */
  finishedAt(storeId: string, stream: string): number | undefined {
    return this.#finished.get(storeId)?.get(stream);
  }

  /** The store has lost the end of a finished stream. */
  reopen(storeId: string, stream: string): void {
    this.#finished.get(storeId)?.delete(stream);
  }

  /** Resolves when a state taken after the call is on the disk. */
  write(): Promise<void> {
    this.#queued ??= this.#writing.then(() => {
      clearTimeout(this.#timer);
      this.#timer = undefined;
      this.#queued = undefined;
      const written = replaceFile(this.#path, this.#render());
      // A failed write is its callers' to report; the next one is not held up by it.
      this.#writing = written.catch(() => undefined);
      return written;
    });
    return this.#queued;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.write();
  }

  #render(): string {
    for (const [id, snapshot] of this.#snapshots) {
      this.#sources.set(id, snapshot());
    }
    const stores = Object.fromEntries(
      [...this.#stores].map(([storeId, streams]) => [
        storeId,
        Object.fromEntries(
          [...streams].map(([name, { nextSeq, cursor }]) => [
            name,
            { nextSeq, cursor: Buffer.from(cursor).toString("base64") },
          ]),
        ),
      ]),
    );
    const finished = Object.fromEntries(
      [...this.#finished].map(([storeId, streams]) => [storeId, Object.fromEntries(streams)]),
    );
    const sources = Object.fromEntries(this.#sources);
    const body = JSON.stringify({ sources, stores, finished });
    return `{"version":1,"crc32":${crc32(body)},${body.slice(1)}`;
  }
}

const CHECKED = /^\{"version":1,"crc32":(\d+),/;

/** Undefined for what is not as it was written: a bit that has flipped could be a cursor's. */
function parseState(text: string): unknown {
  const checked = CHECKED.exec(text);
  // One without a checksum is an older agent's.
  if (checked !== null && crc32(`{${text.slice(checked[0].length)}`) !== Number(checked[1])) {
    return undefined;
  }
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
