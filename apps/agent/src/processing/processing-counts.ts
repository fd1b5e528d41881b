/**
 * What the rules of a stream have done, in records, since the agent started. What is read again after
 * a lost connection counts again; the ledger of the stream is exact.
 */
export interface ProcessingCounts {
  /** Dropped by `include_lines` or `exclude_lines`. */
  excluded: number;
  sampled: number;
  rateLimited: number;
  /** In which something was replaced. */
  redactions: number;
  /** Not of the format that `parse` names; shipped as they are. */
  unparsed: number;
  /** Attributes that a record had no room for. */
  droppedAttributes: number;
  /** Shipped though a rule failed on them. */
  failed: number;
}

export function noCounts(): ProcessingCounts {
  return {
    excluded: 0,
    sampled: 0,
    rateLimited: 0,
    redactions: 0,
    unparsed: 0,
    droppedAttributes: 0,
    failed: 0,
  };
}
