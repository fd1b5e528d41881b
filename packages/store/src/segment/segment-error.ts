import { isCorruption } from "../head/head-file.ts";

/** Why a segment cannot be read: its file is not there (any more), is not what it should be, or is of a newer version. */
export class SegmentError extends Error {
  readonly code: "gone" | "damaged" | "newer";

  constructor(code: SegmentError["code"], message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "SegmentError";
    this.code = code;
  }
}

/**
 * Reads from a segment, what goes wrong put into its terms.
 *
 * @param path of the segment, relative to data_dir
 * @throws SegmentError, and whatever else is not the segment's fault
 */
export function guarded<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (cause instanceof SegmentError) {
      throw cause;
    }
    const { code, message } = cause as { code?: string; message: string };
    if (code === "SQLITE_CANTOPEN") {
      throw new SegmentError("gone", `${path}: ${message}`, { cause });
    }
    // SQLITE_ERROR: a table or a column that is not there.
    if (isCorruption(cause) || code === "SQLITE_ERROR" || cause instanceof SyntaxError) {
      throw new SegmentError("damaged", `${path}: ${message}`, { cause });
    }
    throw cause;
  }
}
