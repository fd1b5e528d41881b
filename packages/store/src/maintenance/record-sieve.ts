import type { Run } from "../block/run.ts";
import { selectFromRun } from "../block/run-selection.ts";
import { type ActiveDelete, isDeleted, type Visibility } from "../manifest/visibility.ts";
import type { StreamDescription } from "../segment/segment-writer.ts";

/** A run taken apart. What is counted was left out. */
export interface Sifted {
  /** By partition. */
  readonly parts: ReadonlyMap<string, Run>;
  readonly expired: number;
  readonly deleted: number;
}

/** What the records of a stream are measured by. */
interface StreamRules {
  readonly identity: {
    readonly host: string;
    readonly source: string;
    readonly labels: Readonly<Record<string, string>>;
  };
  readonly partitions: readonly string[];
  readonly visibleFromUs: Float64Array;
  /** Those that may take some of them. */
  readonly deletes: readonly ActiveDelete[];
}

/** Says of each record where it goes when it is written anew: to a partition, or nowhere. */
export class RecordSieve {
  readonly #visibility: Visibility;
  readonly #deletes: readonly ActiveDelete[];
  readonly #streams = new Map<number, StreamRules>();

  constructor(visibility: Visibility, deletes: readonly ActiveDelete[]) {
    this.#visibility = visibility;
    this.#deletes = deletes;
  }

  sift(run: Run, stream: StreamDescription): Sifted {
    const rules = this.#rulesOf(stream);
    const whole = this.#wholePartition(run, rules);
    if (whole !== undefined) {
      return { parts: new Map([[whole, run]]), expired: 0, deleted: 0 };
    }
    const { identity, partitions, visibleFromUs, deletes } = rules;
    const indices = new Map<string, number[]>();
    let expired = 0;
    let deleted = 0;
    let index = 0;
    for (const { count, receivedUs } of run.arrivals) {
      for (const end = index + count; index < end; index++) {
        const severity = run.columns.severities[index] ?? 0;
        if (receivedUs < (visibleFromUs[severity] ?? Number.NEGATIVE_INFINITY)) {
          expired += 1;
        } else if (isDeleted(deletes, identity, run.columns, index, receivedUs)) {
          deleted += 1;
        } else {
          const partition = partitions[severity] ?? "default";
          const list = indices.get(partition);
          if (list === undefined) {
            indices.set(partition, [index]);
          } else {
            list.push(index);
          }
        }
      }
    }
    const parts = new Map<string, Run>();
    for (const [partition, list] of indices) {
      const part = selectFromRun(run, list);
      if (part !== undefined) {
        parts.set(partition, part);
      }
    }
    return { parts, expired, deleted };
  }

  /** The one partition that all of a run goes to, where that can be said without looking at each record. */
  #wholePartition(
    run: Run,
    { partitions, visibleFromUs, deletes }: StreamRules,
  ): string | undefined {
    const earliestUs = run.arrivals.reduce(
      (earliest, { receivedUs }) => Math.min(earliest, receivedUs),
      Number.POSITIVE_INFINITY,
    );
    if (deletes.some((one) => earliestUs <= one.receivedUs)) {
      return undefined;
    }
    let whole: string | undefined;
    for (const severity of new Set(run.columns.severities)) {
      const partition = partitions[severity] ?? "default";
      whole ??= partition;
      if (partition !== whole || earliestUs < (visibleFromUs[severity] ?? -Infinity)) {
        return undefined;
      }
    }
    return whole;
  }

  #rulesOf(stream: StreamDescription): StreamRules {
    const known = this.#streams.get(stream.streamId);
    if (known !== undefined) {
      return known;
    }
    const { host, source } = stream;
    const labels = JSON.parse(stream.labels) as Readonly<Record<string, string>>;
    const identity = { host, source, labels };
    const rules = {
      identity,
      partitions: this.#visibility.partitions(identity),
      visibleFromUs: this.#visibility.visibleFromUs(identity),
      deletes: this.#deletes.filter(({ filter }) => filter.streamMayMatch(identity) !== "no"),
    };
    this.#streams.set(stream.streamId, rules);
    return rules;
  }
}
