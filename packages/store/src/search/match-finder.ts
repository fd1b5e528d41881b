import type { RecordColumns } from "@sluice/protocol";

import { gatherColumns } from "../block/record-columns.ts";
import type { OpenRun } from "./open-run.ts";
import type { RecordFinder, Wanted } from "./record-finder.ts";
import type { StoredRun } from "./run-catalog.ts";
import type { RunReader } from "./run-reader.ts";
import type { TimeRange } from "./search-request.ts";

/** A matching record, where it lies. */
export interface Match {
  readonly timeUs: number;
  readonly seq: number;
  readonly receivedUs: number;
  readonly run: StoredRun;
  readonly columns: RecordColumns;
  /** Of the record in `columns`. */
  readonly index: number;
}

/** Finds a run's visible records that match, in order of time and then of sequence. */
export class MatchFinder {
  readonly #records: RecordFinder;
  readonly #reader: RunReader;

  constructor(records: RecordFinder, reader: RunReader) {
    this.#records = records;
    this.#reader = reader;
  }

  /** A record's event time; undefined where it is no longer there. */
  timeOf(run: StoredRun, seq: number): number | undefined {
    const open = this.#reader.open(run);
    if (typeof open === "string") {
      return undefined;
    }
    for (let index = 0; index < open.count; index++) {
      if (open.seqAt(index) === seq) {
        return open.timesUs[index];
      }
    }
    return undefined;
  }

  /** @param limit at most so many: the first ones in time, or the last ones where it goes in reverse */
  find(run: StoredRun, range: TimeRange, reverse: boolean, limit: number): Match[] {
    try {
      return this.#find(run, { range, reverse, limit });
    } finally {
      this.#reader.release();
    }
  }

  #find(run: StoredRun, wanted: Wanted): Match[] {
    const found = this.#records.find(run, wanted);
    if (found === undefined) {
      return [];
    }
    const { open, records } = found;
    const ordered = inTimeOrder(open.timesUs, records, wanted.reverse).slice(0, wanted.limit);
    // Copies, so that no match keeps a whole block in memory.
    const columns =
      found.columns === undefined ? open.gather(ordered) : gatherColumns(found.columns, ordered);
    if (columns === undefined) {
      this.#reader.markDamaged(run);
      return [];
    }
    return ordered.map((record, at) => toMatch(run, open, record, columns, at));
  }
}

function toMatch(
  run: StoredRun,
  open: OpenRun,
  record: number,
  columns: RecordColumns,
  index: number,
): Match {
  return {
    timeUs: open.timesUs[record] ?? 0,
    seq: open.seqAt(record),
    receivedUs: open.receivedUsAt(record),
    run,
    columns,
    index,
  };
}

/** By time, then by index; or both backwards. Mostly ascending indices of ascending times come in. */
function inTimeOrder(
  timesUs: Float64Array,
  records: readonly number[],
  reverse: boolean,
): number[] {
  const time = (at: number): number => timesUs[records[at] ?? 0] ?? 0;
  const isAscending = records.every(
    (record, at) => at === 0 || (time(at) >= time(at - 1) && record > (records[at - 1] ?? 0)),
  );
  const ordered = isAscending
    ? [...records]
    : records.toSorted((a, b) => (timesUs[a] ?? 0) - (timesUs[b] ?? 0) || a - b);
  return reverse ? ordered.reverse() : ordered;
}
