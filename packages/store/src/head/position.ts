/** Where a stream stands: which frame would be next, and what its source's cursor is before it. */
export interface StreamPosition {
  /** Incarnation of the stream; a frame of an older one is dropped without a reply. */
  readonly epoch: number;
  /** Frames accepted so far, over all epochs. */
  readonly ordinal: number;
  /** Sequence number that the next record gets. */
  readonly nextSeq: number;
  /** Opaque to the collector. */
  readonly cursor: Uint8Array;
}

/** The place a frame claims in its stream. */
export interface FramePlace {
  readonly epoch: number;
  readonly ordinal: number;
  readonly firstSeq: number;
}

export type Fit = "next" | "stale" | "misplaced";

/**
 * Compare-and-set: a frame is the next one of its stream only when epoch, ordinal and first
 * sequence number all equal the stored ones. Frames of an older epoch were sent before the agent
 * learnt of a reset, so they are stale and not worth a second reset.
 */
export function fit(stored: StreamPosition, frame: FramePlace): Fit {
  if (frame.epoch < stored.epoch) {
    return "stale";
  }
  const isNext =
    frame.epoch === stored.epoch &&
    frame.ordinal === stored.ordinal &&
    frame.firstSeq === stored.nextSeq;
  return isNext ? "next" : "misplaced";
}
