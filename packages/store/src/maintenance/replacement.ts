import { unlinkSegment } from "../manifest/segment-folder.ts";
import type { Swap } from "../manifest/swap.ts";
import type { JobContext } from "./job-context.ts";
import type { RemovalCount } from "./removal-count.ts";
import type { SegmentOutput } from "./segment-output.ts";

/** What a job replaces with the segments that it wrote. */
export interface Replaced extends Pick<Swap, "removeBatches" | "removeSegments" | "deletesDone"> {
  readonly kind: string;
  readonly detail: string;
  readonly startedUs: number;
  readonly deletesSeen: number;
  /** Figures of the job besides those of its output. */
  readonly outcome: Readonly<Record<string, number>>;
}

/** What became of a job's input. */
export interface Outcome {
  /** Of the new segments' files. */
  readonly bytes: number;
  readonly records: number;
  /** Left out: expired, deleted or damaged ones. */
  readonly removedRecords: number;
}

/**
 * Names the new segments and has them take the place of what they were made of. Undefined where
 * another change came in between: then nothing has changed, and the new files are gone.
 */
export async function replace(
  context: JobContext,
  output: SegmentOutput,
  removal: RemovalCount,
  { kind, detail, startedUs, outcome, ...replaced }: Replaced,
): Promise<Outcome | undefined> {
  await context.announce(output.finish());
  const add = output.publish();
  const sum = (figure: "records" | "rawBytes" | "bytes"): number =>
    add.reduce((total, segment) => total + segment[figure], 0);
  const { ok } = await context.swap({
    ...replaced,
    add,
    removed: removal.removed,
    job: {
      kind,
      detail,
      dueUs: startedUs,
      startedUs,
      tookMs: (context.nowUs() - startedUs) / 1000,
      outcome: {
        ...outcome,
        segments: add.length,
        records: sum("records"),
        rawBytes: sum("rawBytes"),
        segmentBytes: sum("bytes"),
        ...removal.outcome,
      },
    },
  });
  if (!ok) {
    for (const { path } of add) {
      unlinkSegment(context.dataDir, path);
    }
    return undefined;
  }
  const removedRecords = removal.expired + removal.deleted + removal.damaged;
  return { bytes: sum("bytes"), records: sum("records"), removedRecords };
}
