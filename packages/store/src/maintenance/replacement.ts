import { unlinkSegment } from "../manifest/segment-folder.ts";
import type { NewSegment, Swap } from "../manifest/swap.ts";
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
  /** Left out because retention's plan says so. */
  readonly prunedRecords: number;
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
  const paths = await output.finish();
  await context.announce(paths);
  const add = publish(context, output, paths);
  const sum = (figure: "records" | "rawBytes" | "bytes"): number =>
    add.reduce((total, segment) => total + segment[figure], 0);
  const swap: Swap = {
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
  };
  const { ok } = await context.swap(swap).catch((error: unknown) => {
    context.discard(paths);
    throw error;
  });
  if (!ok) {
    unlinkAll(context, paths);
    return undefined;
  }
  return { bytes: sum("bytes"), records: sum("records"), prunedRecords: removal.pruned };
}

/** A full volume must not fill up with what was written before it was noticed. */
function publish(
  context: JobContext,
  output: SegmentOutput,
  paths: readonly string[],
): readonly NewSegment[] {
  try {
    return output.publish();
  } catch (error) {
    unlinkAll(context, paths);
    throw error;
  }
}

function unlinkAll({ dataDir }: JobContext, paths: readonly string[]): void {
  for (const path of paths) {
    unlinkSegment(dataDir, path);
  }
}
