import type { RemovedRecords } from "../manifest/swap.ts";

/** Records that a job leaves out, by stream: what doctor adds to what is stored. */
export class RemovalCount {
  readonly #byStream = new Map<number, number>();
  /** By retention's plan; `expired` is what has passed its time besides. */
  pruned = 0;
  expired = 0;
  deleted = 0;
  damaged = 0;

  add(streamId: number, kind: "pruned" | "expired" | "deleted" | "damaged", records: number): void {
    if (records > 0) {
      this[kind] += records;
      this.#byStream.set(streamId, (this.#byStream.get(streamId) ?? 0) + records);
    }
  }

  get removed(): RemovedRecords[] {
    return Array.from(this.#byStream, ([streamId, records]) => ({ streamId, records }));
  }

  /** For a job's outcome: only what there was. */
  get outcome(): Record<string, number> {
    const { pruned, expired, deleted, damaged } = this;
    return Object.fromEntries(
      Object.entries({ pruned, expired, deleted, damaged }).filter(([, records]) => records > 0),
    );
  }
}
