import type { RecordColumns } from "@sluice/protocol";
import { compileNarrowing, type RecordFilter, scanBlock } from "@sluice/query";

import { type ActiveDelete, isDeleted } from "../manifest/visibility.ts";
import { EncodedScan } from "./encoded-scan.ts";
import type { OpenRun } from "./open-run.ts";
import { isWhollyVisible, type StoredRun } from "./run-catalog.ts";
import type { RunReader } from "./run-reader.ts";
import type { ArrivalRange, TimeRange } from "./search-request.ts";

export interface FinderOptions {
  readonly filter: RecordFilter;
  readonly reader: RunReader;
  readonly deletes: readonly ActiveDelete[];
  readonly arrived: ArrivalRange | undefined;
}

/** Which of the matches somebody wants: the first ones in time, or the last ones in reverse. */
export interface Wanted {
  readonly range: TimeRange;
  readonly reverse: boolean;
  readonly limit: number;
}

/** A run's visible records that match. */
export interface FoundRecords {
  readonly open: OpenRun;
  /** Their indices in the run, each once, in no order. Behind a limit there may be fewer, but none of the wanted is missing. */
  readonly records: readonly number[];
  /** All records of the run, where they had to be rendered. */
  readonly columns: RecordColumns | undefined;
}

/** Finds a run's visible records that match, with as little decoding as their filter allows. */
export class RecordFinder {
  readonly #options: FinderOptions;
  readonly #narrow: ReturnType<typeof compileNarrowing>;
  readonly #scans = new Map<RecordFilter, EncodedScan>();
  scanMs = 0;

  constructor(options: FinderOptions) {
    this.#options = options;
    this.#narrow = compileNarrowing(options.filter.filter);
  }

  /** Undefined where nothing is found, the run is gone, or it is damaged, which the reader then counts. */
  find(run: StoredRun, wanted: Wanted): FoundRecords | undefined {
    const { reader } = this.#options;
    const open = reader.open(run);
    if (typeof open === "string") {
      return undefined;
    }
    const startedMs = performance.now();
    const readMs = reader.readMs;
    const found = this.#find(run, open, wanted);
    this.scanMs += performance.now() - startedMs - (reader.readMs - readMs);
    if (found === "damaged") {
      reader.markDamaged(run);
      return undefined;
    }
    return found.records.length === 0 ? undefined : found;
  }

  #find(run: StoredRun, open: OpenRun, wanted: Wanted): FoundRecords | "damaged" {
    // What the stream and the severities of the run decide is not asked of its records again.
    const filter = this.#narrow(run.stream, run.severities);
    const records =
      this.#bySeverity(run, open, wanted.range) ??
      this.#scanOf(filter).scan(run.stream, open, rangeTest(open, wanted.range));
    if (records === undefined) {
      return this.#inColumns(filter, run, open, wanted);
    }
    const hides = this.#hides(run);
    const visible =
      hides === undefined ? records : records.filter((record) => !hides(open, record));
    const deletes = this.#deletesOf(run);
    if (deletes.length === 0 || visible.length === 0) {
      return { open, records: visible, columns: undefined };
    }
    const columns = open.gather(visible);
    return columns === undefined
      ? "damaged"
      : {
          open,
          records: visible.filter(
            (record, at) => !isDeleted(deletes, run.stream, columns, at, open.receivedUsAt(record)),
          ),
          columns: undefined,
        };
  }

  /** Where stream and severity decide, no text is looked at. */
  #bySeverity(run: StoredRun, open: OpenRun, range: TimeRange): readonly number[] | undefined {
    const { may, must } = this.#options.filter.severitiesOf(run.stream);
    if (((may ^ must) & run.severities) !== 0) {
      return undefined;
    }
    const isInRange = rangeTest(open, range);
    const isEach = (must & run.severities) === run.severities;
    const records: number[] = [];
    for (let record = 0; record < open.count; record++) {
      const isWanted = isEach || (must & (1 << (open.severities[record] ?? 0))) !== 0;
      if (isWanted && (isInRange === undefined || isInRange(record))) {
        records.push(record);
      }
    }
    return records;
  }

  #scanOf(filter: RecordFilter): EncodedScan {
    let scan = this.#scans.get(filter);
    if (scan === undefined) {
      scan = new EncodedScan(filter);
      this.#scans.set(filter, scan);
    }
    return scan;
  }

  #inColumns(
    filter: RecordFilter,
    run: StoredRun,
    open: OpenRun,
    wanted: Wanted,
  ): FoundRecords | "damaged" {
    const columns = open.columns();
    if (columns === undefined) {
      return "damaged";
    }
    const { range, reverse, limit } = wanted;
    const hides = this.#hides(run);
    const deletes = this.#deletesOf(run);
    const isWhole = hides === undefined && deletes.length === 0;
    const records = scanBlock(filter, run.stream, columns, {
      ...(range.fromUs !== undefined && { fromUs: range.fromUs }),
      ...(range.untilUs !== undefined && { untilUs: range.untilUs }),
      newestFirst: reverse,
      ...(isWhole && { limit }),
    });
    const isVisible = (record: number): boolean =>
      hides?.(open, record) !== true &&
      !isDeleted(deletes, run.stream, columns, record, open.receivedUsAt(record));
    return { open, records: isWhole ? records : records.filter(isVisible), columns };
  }

  /** Whether retention, or the range of arrival, leaves a record out; undefined where all of the run's are in. */
  #hides(run: StoredRun): ((open: OpenRun, record: number) => boolean) | undefined {
    const { arrived } = this.#options;
    const isWhollyArrived =
      arrived === undefined || (run.firstBatch > arrived.after && run.lastBatch <= arrived.upTo);
    if (isWhollyArrived && isWhollyVisible(run)) {
      return undefined;
    }
    const { visibleFromUs } = run.stream;
    return (open, record) => {
      const fromUs = visibleFromUs[open.severities[record] ?? 0] ?? Number.NEGATIVE_INFINITY;
      if (open.receivedUsAt(record) < fromUs) {
        return true;
      }
      const batch = arrived === undefined ? 0 : open.batchAt(record);
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

/** Undefined where every time is in the range: then the times need not be decoded. */
function rangeTest(
  open: OpenRun,
  { fromUs = -Infinity, untilUs = Infinity }: TimeRange,
): ((record: number) => boolean) | undefined {
  if (fromUs === -Infinity && untilUs === Infinity) {
    return undefined;
  }
  return (record) => {
    const timeUs = open.timesUs[record] ?? 0;
    return timeUs >= fromUs && timeUs < untilUs;
  };
}
