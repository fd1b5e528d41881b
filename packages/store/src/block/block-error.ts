import { type Result, err } from "@sluice/quantity";

/** Why the bytes of a block cannot be read. `detail` is a sentence for a human. */
export interface BlockError {
  readonly code: "bad_block" | "unknown_version" | "limit_exceeded" | "wrong_dictionary";
  readonly detail: string;
}

export function badBlock(detail: string): Result<never, BlockError> {
  return err({ code: "bad_block", detail });
}
