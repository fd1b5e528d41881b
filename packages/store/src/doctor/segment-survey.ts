import { statSync } from "node:fs";
import { join } from "node:path";

import { isUnfinished } from "../manifest/segment-folder.ts";
import { SegmentError } from "../segment/segment-error.ts";
import { SegmentFile, type SegmentRun } from "../segment/segment-file.ts";
import type { StreamDescription } from "../segment/segment-writer.ts";
import { type RunsSum, sumOfRuns } from "./runs-sum.ts";
import { type SeqRange, SeqSet } from "./seq-set.ts";

/** A segment as its own file tells of it. */
export interface SurveyedSegment extends RunsSum {
  readonly path: string;
  readonly partition: string;
  readonly day: string;
  readonly bytes: number;
  readonly level: number;
  readonly blocks: number;
  readonly rawBytes: number;
  readonly streams: readonly StreamDescription[];
  readonly runs: readonly SegmentRun[];
  readonly origin: ReturnType<SegmentFile["origin"]>;
}

export interface Survey {
  readonly segments: readonly SurveyedSegment[];
  /** What was left out, each with the reason. */
  readonly leftOut: readonly string[];
}

/**
 * Tells which files make up a store, without its manifest. A file that was replaced may still be
 * there beside what took its place, so that its records would count twice.
 */
export function surveySegments(dataDir: string, files: readonly string[]): Survey {
  const leftOut: string[] = [];
  const found: SurveyedSegment[] = [];
  for (const path of files.filter((file) => !isUnfinished(file))) {
    try {
      found.push(readSegment(dataDir, path));
    } catch (error) {
      if (!(error instanceof SegmentError)) {
        throw error;
      }
      leftOut.push(error.message);
    }
  }
  const replaced = replacedPaths(found);
  const names = new StreamNames();
  const seqs = new Map<number, SeqSet>();
  const segments: SurveyedSegment[] = [];
  for (const segment of found) {
    const reason = replaced.has(segment.path)
      ? "another segment took its place"
      : (names.conflictOf(segment.streams) ?? repeats(dataDir, segment, seqs));
    if (reason === undefined) {
      segments.push(segment);
      names.add(segment.streams);
    } else {
      leftOut.push(`${segment.path}: ${reason}`);
    }
  }
  return { segments, leftOut };
}

function readSegment(dataDir: string, path: string): SurveyedSegment {
  using file = SegmentFile.open(dataDir, path);
  if (file.meta("path") !== path) {
    throw new SegmentError("damaged", `${path}: is the segment ${file.meta("path")}, moved`);
  }
  let rawBytes = 0;
  for (let block = 0; block < file.blockCount; block++) {
    rawBytes += file.rawBytesOf(block);
  }
  return {
    path,
    partition: file.meta("partition"),
    day: file.meta("day"),
    bytes: statSync(join(dataDir, path)).size,
    level: file.level,
    blocks: file.blockCount,
    rawBytes,
    streams: file.streams(),
    runs: file.runs,
    origin: file.origin(),
    ...sumOfRuns(file.runs),
  };
}

/** Of jobs all of whose segments are there. */
function replacedPaths(segments: readonly SurveyedSegment[]): Set<string> {
  const replaced = new Set<string>();
  for (const outputs of Map.groupBy(segments, ({ origin }) => origin.job).values()) {
    const origin = outputs[0]?.origin;
    if (origin !== undefined && outputs.length === origin.outputs) {
      origin.replaces.forEach((path) => replaced.add(path));
    }
  }
  return replaced;
}

/** What stream an id is, over all files: of two stores' files together they contradict each other. */
class StreamNames {
  readonly #byId = new Map<number, string>();
  readonly #byName = new Map<string, number>();

  conflictOf(streams: readonly StreamDescription[]): string | undefined {
    const isKnown = streams.every((stream) => {
      const name = nameOf(stream);
      const { streamId } = stream;
      return (
        (this.#byId.get(streamId) ?? name) === name &&
        (this.#byName.get(name) ?? streamId) === streamId
      );
    });
    return isKnown ? undefined : "names its streams as another store does";
  }

  add(streams: readonly StreamDescription[]): void {
    for (const stream of streams) {
      this.#byId.set(stream.streamId, nameOf(stream));
      this.#byName.set(nameOf(stream), stream.streamId);
    }
  }
}

function nameOf({ agentId, source, generation }: StreamDescription): string {
  return JSON.stringify([agentId, source, generation]);
}

/** Adds its records to those that are there, unless some of them are there already. */
function repeats(
  dataDir: string,
  segment: SurveyedSegment,
  known: Map<number, SeqSet>,
): string | undefined {
  using file = SegmentFile.open(dataDir, segment.path);
  const runs = segment.runs.map((run) => ({ streamId: run.streamId, seqs: seqsOf(file, run) }));
  for (const { streamId, seqs } of runs) {
    if ((known.get(streamId)?.count(seqs) ?? 0) > 0) {
      return "holds records that another segment holds too";
    }
  }
  for (const { streamId, seqs } of runs) {
    const set = known.get(streamId) ?? new SeqSet();
    known.set(streamId, set);
    set.add(seqs);
  }
  return undefined;
}

/** Of a block that cannot be read, none: its records are lost wherever they count. */
function seqsOf(
  file: SegmentFile,
  { block, firstSeq, lastSeq, count, fromRecord }: SegmentRun,
): SeqRange | Float64Array {
  if (lastSeq - firstSeq + 1 === count) {
    return { first: firstSeq, last: lastSeq };
  }
  const index = file.index(block);
  return index.ok ? index.value.seqs.slice(fromRecord, fromRecord + count) : new Float64Array();
}
