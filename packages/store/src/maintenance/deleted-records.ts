import { requiredWordSets, type RecordFilter } from "@sluice/query";

import type { HeadDatabase } from "../head/head-file.ts";
import { manifestVersion, type SegmentEntry } from "../manifest/manifest.ts";
import { type ActiveDelete, Visibility } from "../manifest/visibility.ts";
import { RecordFinder } from "../search/record-finder.ts";
import type { Catalog, CatalogStream, StoredRun } from "../search/run-catalog.ts";
import { DecodedCache, RunReader } from "../search/run-reader.ts";
import { planRuns } from "../search/segment-plan.ts";
import { SegmentCache } from "../segment/segment-cache.ts";
import { describeStreams } from "./job-context.ts";
import type { RunCut } from "./rewrite.ts";

/** A delete that is looked for: where it may find something, and how. */
interface Sought {
  readonly one: ActiveDelete;
  readonly streams: ReadonlyMap<number, CatalogStream>;
  readonly finder: RecordFinder;
}

/**
 * Finds the records of segments that deletes take, as a search does: most segments are passed over by
 * what is known of them, most blocks by their words.
 */
export class DeletedRecords implements Disposable {
  readonly #segments: SegmentCache;
  readonly #sought: readonly Sought[];
  readonly #version: number;

  constructor(db: HeadDatabase, dataDir: string, deletes: readonly ActiveDelete[]) {
    this.#segments = new SegmentCache(dataDir);
    this.#version = manifestVersion(db);
    const streams = everyStream(db);
    const reader = new RunReader(db, this.#segments, DecodedCache.passing());
    this.#sought = deletes.map((one) => ({
      one,
      streams: new Map(
        streams
          .filter((stream) => one.filter.streamMayMatch(stream) !== "no")
          .map((stream) => [stream.streamId, stream]),
      ),
      finder: new RecordFinder({ filter: one.filter, reader, deletes: [], arrived: undefined }),
    }));
  }

  /**
   * What goes of a segment, by run; nothing of one that cannot be read, or that was removed meanwhile.
   * Yields between runs.
   */
  *in(entry: SegmentEntry): Generator<undefined, Map<number, RunCut>> {
    const cuts = new Map<number, RunCut>();
    for (const { one, streams, finder } of this.#sought) {
      if (!mayHold(entry, one) || streams.size === 0) {
        continue;
      }
      for (const run of this.#runs(entry, one, streams)) {
        yield;
        const { id } = (run.place as Extract<StoredRun["place"], { kind: "block" }>).run;
        if (cuts.get(id) !== "all") {
          const cut = isWholly(run, one) ? "all" : matchesIn(run, one, finder);
          const all = joinCuts(cuts.get(id), cut, run.count);
          if (all !== undefined) {
            cuts.set(id, all);
          }
        }
      }
    }
    return cuts;
  }

  [Symbol.dispose](): void {
    this.#segments[Symbol.dispose]();
  }

  #runs(
    entry: SegmentEntry,
    one: ActiveDelete,
    streams: ReadonlyMap<number, CatalogStream>,
  ): readonly StoredRun[] {
    const { fromUs, untilUs, filter } = one;
    const catalog: Catalog = {
      moment: {
        version: this.#version,
        highWater: Number.MAX_SAFE_INTEGER,
        visibility: new Visibility(undefined),
      },
      streams,
      streamsTotal: streams.size,
      batches: [],
      segmentPaths: [entry.path],
      blocksTotal: entry.blocks,
      segments: [entry],
      deletes: [],
    };
    const request = { query: "", order: "time", reverse: false, deadlineMs: 0 } as const;
    const words = requiredWordSets(filter.filter);
    const range = { fromUs: finite(fromUs), untilUs: finite(untilUs) };
    return planRuns(catalog, { ...request, ...range }, filter, words, this.#segments, {
      isMissing: () => true,
      checkpoint: () => undefined,
    }).runs;
  }
}

/** What retention hides is taken too: a longer policy may show it again. */
function everyStream(db: HeadDatabase): CatalogStream[] {
  const hidesNothing = new Visibility(undefined);
  return [...describeStreams(db).values()].map(({ labels, ...stream }) => {
    const named = { ...stream, labels: JSON.parse(labels) as Record<string, string> };
    return { ...named, visibleFromUs: hidesNothing.visibleFromUs(named) };
  });
}

function mayHold(
  { minTimeUs, maxTimeUs, firstReceivedUs }: SegmentEntry,
  one: ActiveDelete,
): boolean {
  return maxTimeUs >= one.fromUs && minTimeUs < one.untilUs && firstReceivedUs <= one.receivedUs;
}

/** Whether that can be said without reading any record. */
function isWholly(run: StoredRun, { filter, fromUs, untilUs, receivedUs }: ActiveDelete): boolean {
  const { must } = (filter satisfies RecordFilter).severitiesOf(run.stream);
  return (
    (run.severities & ~must) === 0 &&
    run.minTimeUs >= fromUs &&
    run.maxTimeUs < untilUs &&
    run.lastReceivedUs <= receivedUs
  );
}

function matchesIn(run: StoredRun, one: ActiveDelete, finder: RecordFinder): Float64Array {
  const range = { fromUs: finite(one.fromUs), untilUs: finite(one.untilUs) };
  const found = finder.find(run, { range, reverse: false, limit: Number.POSITIVE_INFINITY });
  if (found === undefined) {
    return new Float64Array();
  }
  const { open, records } = found;
  const seqs = records
    .filter((record) => open.receivedUsAt(record) <= one.receivedUs)
    .map((record) => open.seqAt(record));
  return Float64Array.from(seqs).sort();
}

/** Undefined where nothing goes. */
function joinCuts(known: RunCut | undefined, more: RunCut, count: number): RunCut | undefined {
  if (known === "all" || more === "all") {
    return "all";
  }
  const joined =
    known === undefined ? more : Float64Array.from(new Set([...known, ...more])).sort();
  return joined.length === 0 ? undefined : joined.length === count ? "all" : joined;
}

function finite(us: number): number | undefined {
  return Number.isFinite(us) ? us : undefined;
}
