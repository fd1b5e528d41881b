import type { SealedBatch } from "./sealed-batch.ts";

/**
 * Moves one stream from its reader into batches, for one epoch: a rewind ends the pump, and a new
 * one begins at the cursor. It stops reading while a full batch waits for credit; the source is its
 * own buffer.
 */
export interface Pump {
  /** Records are complete, and nothing is under way that could still move their bytes. */
  readonly canSeal: boolean;
  /** Bytes read and not sealed. */
  readonly bufferedBytes: number;
  /** Bytes that the source has and that are not read yet, as far as it is known. */
  readonly behindBytes: number;
  /** What `seal` would take of the credit now. */
  readonly payloadBytes: number;
  /** Largest severity number among the complete records. */
  readonly maxSeverity: number;
  /** Takes the complete records; what is not complete stays for the next batch. */
  seal(): SealedBatch;
  /** Runs until the stream is finished or the signal aborts; aborting rejects with its reason. */
  run(signal: AbortSignal): Promise<void>;
}
