import { isLiveSegment, type SegmentEntry } from "../manifest/manifest.ts";
import { SegmentError } from "../segment/segment-error.ts";
import { SegmentFile } from "../segment/segment-file.ts";
import type { JobContext } from "./job-context.ts";

/** Undefined where it cannot be opened: because it was removed since, or it is missing or damaged as a whole. */
export function openInput(context: JobContext, entry: SegmentEntry): SegmentFile | undefined {
  let file: SegmentFile | undefined;
  try {
    file = SegmentFile.open(context.dataDir, entry.path);
    void file.runs; // what no job can do without
    return file;
  } catch (error) {
    file?.[Symbol.dispose]();
    if (!(error instanceof SegmentError)) {
      throw error;
    }
    if (isLiveSegment(context.db, entry.id)) {
      context.unreadable(entry, error);
    }
    return undefined;
  }
}
