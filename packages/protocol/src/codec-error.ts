import type { RejectCode } from "./codes.ts";

/**
 * Why a batch can never be accepted. The code is the one that goes into the `reject` message; the
 * detail is a sentence for a human and names no bytes of the batch.
 */
export interface CodecError {
  readonly code: RejectCode;
  readonly detail: string;
}
