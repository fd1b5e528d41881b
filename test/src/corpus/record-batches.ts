import { BatchBuilder, LIMITS } from "@sluice/protocol";
import { EVENT_ROOM_BYTES, openSource } from "./generate.ts";
import type { GenerateOptions, Kind } from "./generate.ts";
import type { LineSource, Scene } from "./line-source.ts";
import { LineWriter } from "./line-writer.ts";
import type { Transfer } from "./transfer.ts";
import { withTransfers } from "./transfer.ts";

const LF = 0x0a;

/** One log of a corpus, to be made into batches as an agent would. */
export interface RecordLogOptions extends Omit<GenerateOptions, "kind"> {
  readonly kind: Exclude<Kind, "mix">;
  /** Its place in the corpus, 0-63: no two logs share a transfer's number. */
  readonly stream: number;
}

/** Records that follow each other in one log. The views are good until the next batch is made. */
export interface RecordBatch {
  readonly count: number;
  readonly minTimeUs: number;
  readonly maxTimeUs: number;
  /** The lines as a file holds them. */
  readonly text: Buffer;
  /** The same with their times and severities, as `BatchBuilder` lays them out. */
  readonly payload: Buffer;
  readonly transfers: readonly Transfer[];
}

/** Makes batches of many logs over one buffer. */
export class RecordBatchMaker {
  readonly #builder = new BatchBuilder();
  readonly #line: LineWriter = new LineWriter(this.#builder.buffer);

  /** The next events of a log, about `bytes` of them, each line a record with its event's time. */
  make(log: RecordLog, bytes: number): RecordBatch {
    const builder = this.#builder;
    const line = this.#line;
    const limit = Math.min(bytes, LIMITS.batchRawBytes - EVENT_ROOM_BYTES);
    builder.reset();
    line.at = 0;
    const transfers = log.begin();
    while (line.at < limit && builder.count < LIMITS.batchRecords - EVENT_ROOM_BYTES) {
      const severity = log.next(line);
      this.#addLines(log.timeUs, severity);
    }
    const { count, minTimeUs, maxTimeUs, bodiesBytes } = builder;
    const payload = builder.finish();
    return {
      count,
      minTimeUs,
      maxTimeUs,
      transfers,
      payload,
      text: payload.subarray(0, bodiesBytes),
    };
  }

  #addLines(timeUs: number, severity: number): void {
    const builder = this.#builder;
    const end = this.#line.at;
    while (builder.bodiesBytes < end) {
      const lineEnd = builder.buffer.indexOf(LF, builder.bodiesBytes);
      if (!builder.add(lineEnd, timeUs, severity)) throw new Error("a batch without room");
    }
  }
}

/** One generated log with transfers in it, which stands where its last event ended. */
export class RecordLog {
  readonly next: LineSource;
  readonly #scene: Scene;
  #transfers: Transfer[] = [];

  constructor(options: RecordLogOptions) {
    const { next, scene } = openSource(options);
    this.#scene = scene;
    this.next = withTransfers(next, scene, options, (transfer) => this.#transfers.push(transfer));
  }

  /** Time of the last event. */
  get timeUs(): number {
    return this.#scene.clock.timeUs;
  }

  /** Starts a batch; the array fills while it is made. */
  begin(): readonly Transfer[] {
    this.#transfers = [];
    return this.#transfers;
  }
}
