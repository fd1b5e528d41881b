import type { RecordColumns } from "@sluice/protocol";
import { type RecordFilter, scanBlock } from "@sluice/query";

import type { ActiveDelete } from "../manifest/visibility.ts";
import { isDeleted } from "../manifest/visibility.ts";
import { EncodedScan } from "./encoded-scan.ts";
import type { OpenRun } from "./open-run.ts";
import { isWhollyVisible, type StoredRun } from "./run-catalog.ts";
import type { RunReader } from "./run-reader.ts";
import type { ArrivalRange, TimeRange } from "./search-request.ts";

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

export interface FinderOptions {
  readonly filter: RecordFilter;
  readonly reader: RunReader;
  readonly deletes: readonly ActiveDelete[];
  readonly arrived: ArrivalRange | undefined;
  /** Whether the matches' bodies and attributes are wanted; without them a match has its time and severity. */
  readonly needsBodies: boolean;
}

/** Finds a run's visible records that match, in order of time and then of sequence. */
export class MatchFinder {
  readonly #options: FinderOptions;
  readonly #encoded: EncodedScan;
  scanMs = 0;

  constructor(options: FinderOptions) {
    this.#options = options;
    this.#encoded = new EncodedScan(options.filter);
  }

  /** A record's event time; undefined where it is no longer there. */
  timeOf(run: StoredRun, seq: number): number | undefined {
    const open = this.#options.reader.open(run);
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
    const { reader } = this.#options;
    const open = reader.open(run);
    if (typeof open === "string") {
      return [];
    }
    const startedMs = performance.now();
    const readMs = reader.readMs;
    const matches = this.#find(run, open, range, reverse, limit);
    this.scanMs += performance.now() - startedMs - (reader.readMs - readMs);
    if (matches === undefined) {
      reader.markDamaged(run);
      return [];
    }
    return matches;
  }

  /** Undefined where the text is damaged. */
  #find(
    run: StoredRun,
    open: OpenRun,
    range: TimeRange,
    reverse: boolean,
    limit: number,
  ): Match[] | undefined {
    const indices = this.#indices(run, open, range);
    if (indices === undefined) {
      return this.#findInColumns(run, open, range, reverse, limit);
    }
    const hidden = this.#hides(run);
    const visible =
      hidden === undefined ? indices : indices.filter((index) => !hidden(open, index));
    const ordered = inTimeOrder(open.timesUs, visible, reverse);
    const deletes = this.#deletesOf(run);
    const { needsBodies } = this.#options;
    const wanted = deletes.length === 0 ? ordered.slice(0, limit) : ordered;
    if (wanted.length === 0) {
      return [];
    }
    if (!needsBodies && deletes.length === 0) {
      const columns = bodilessColumns(open);
      return wanted.map((index) => toMatch(run, open, index, columns, index));
    }
    const columns = open.gather(wanted);
    if (columns === undefined) {
      return undefined;
    }
    const matches: Match[] = [];
    for (const [at, index] of wanted.entries()) {
      const match = toMatch(run, open, index, columns, at);
      if (!isDeleted(deletes, run.stream, columns, at, match.receivedUs)) {
        matches.push(match);
        if (matches.length === limit) {
          break;
        }
      }
    }
    return matches;
  }

  /**
   * Matching records by what need not be rendered: severity and stream alone, or the encoded text.
   * Undefined where each record has to be looked at; an empty list is an answer.
   */
  #indices(run: StoredRun, open: OpenRun, { fromUs, untilUs }: TimeRange): number[] | undefined {
    const { filter } = this.#options;
    const masks = filter.severitiesOf(run.stream);
    const { timesUs, severities } = open;
    const isInRange = (index: number): boolean => {
      const timeUs = timesUs[index] ?? 0;
      return (
        (fromUs === undefined || timeUs >= fromUs) && (untilUs === undefined || timeUs < untilUs)
      );
    };
    if (((masks.may ^ masks.must) & run.severities) === 0) {
      const indices: number[] = [];
      for (let index = 0; index < open.count; index++) {
        if ((masks.must & (1 << (severities[index] ?? 0))) !== 0 && isInRange(index)) {
          indices.push(index);
        }
      }
      return indices;
    }
    return this.#encoded.scan(run.stream, open, (index) => isInRange(index));
  }

  #findInColumns(
    run: StoredRun,
    open: OpenRun,
    range: TimeRange,
    reverse: boolean,
    limit: number,
  ): Match[] | undefined {
    const columns = open.columns();
    if (columns === undefined) {
      return undefined;
    }
    const hidden = this.#hides(run);
    const deletes = this.#deletesOf(run);
    const isWhole = hidden === undefined && deletes.length === 0;
    const indices = scanBlock(this.#options.filter, run.stream, columns, {
      ...(range.fromUs !== undefined && { fromUs: range.fromUs }),
      ...(range.untilUs !== undefined && { untilUs: range.untilUs }),
      newestFirst: reverse,
      ...(isWhole && { limit }),
    });
    const matches: Match[] = [];
    for (const index of indices) {
      const match = toMatch(run, open, index, columns, index);
      const isVisible =
        isWhole ||
        (hidden?.(open, index) !== true &&
          !isDeleted(deletes, run.stream, columns, index, match.receivedUs));
      if (isVisible) {
        matches.push(match);
        if (matches.length === limit) {
          break;
        }
      }
    }
    return matches;
  }

  /** Whether retention, or the range of arrival, leaves a record out; undefined where all of the run's are in. */
  #hides(run: StoredRun): ((open: OpenRun, index: number) => boolean) | undefined {
    const { arrived } = this.#options;
    const isWhollyArrived =
      arrived === undefined || (run.firstBatch > arrived.after && run.lastBatch <= arrived.upTo);
    if (isWhollyArrived && isWhollyVisible(run)) {
      return undefined;
    }
    const { visibleFromUs } = run.stream;
    return (open, index) => {
      const fromUs = visibleFromUs[open.severities[index] ?? 0] ?? Number.NEGATIVE_INFINITY;
      if (open.receivedUsAt(index) < fromUs) {
        return true;
      }
      const batch = arrived === undefined ? 0 : open.batchAt(index);
      return arrived !== undefined && (batch <= arrived.after || batch > arrived.upTo);
    };
  }

  #deletesOf(run: StoredRun): readonly ActiveDelete[] {
    const { deletes } = this.#options;
    return deletes.length === 0
      ? deletes
      : deletes.filter(
          (one) =>
            run.firstReceivedUs <= one.receivedUs &&
            run.maxTimeUs >= one.fromUs &&
            run.minTimeUs < one.untilUs &&
            one.filter.streamMayMatch(run.stream) !== "no",
        );
  }
}

function toMatch(
  run: StoredRun,
  open: OpenRun,
  index: number,
  columns: RecordColumns,
  at: number,
): Match {
  return {
    timeUs: open.timesUs[index] ?? 0,
    seq: open.seqAt(index),
    receivedUs: open.receivedUsAt(index),
    run,
    columns,
    index: at,
  };
}

/** By time, then by index; or both backwards. Ascending indices come in, mostly of ascending times. */
function inTimeOrder(
  timesUs: Float64Array,
  indices: readonly number[],
  reverse: boolean,
): number[] {
  const isAscending = indices.every(
    (index, i) => i === 0 || (timesUs[index] ?? 0) >= (timesUs[indices[i - 1] ?? 0] ?? 0),
  );
  const ordered = isAscending
    ? [...indices]
    : indices.toSorted((a, b) => (timesUs[a] ?? 0) - (timesUs[b] ?? 0) || a - b);
  return reverse ? ordered.reverse() : ordered;
}

const NO_BODIES = new Uint8Array(0);

function bodilessColumns({ count, timesUs, severities }: OpenRun): RecordColumns {
  return {
    count,
    timesUs,
    severities,
    bodyOffsets: new Uint32Array(count + 1),
    bodies: NO_BODIES,
    attributes: undefined,
  };
}
