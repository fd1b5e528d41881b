import type { Store, StoreReader } from "@sluice/store";
import * as z from "zod";

const count = z.int().nonnegative();

const STATE = z.object({
  /** In the head. */
  batches: count,
  segments: count,
  blocks: count,
  /** Payloads of the head, and segment files. */
  payloadBytes: count,
  /** Every file under data_dir but the ballast. */
  diskBytes: count,
});

/** What a compaction made of what was stored: the answer of `POST /v1/compact`. */
export const COMPACT_REPORT = z.object({
  before: STATE,
  /** What arrived meanwhile counts here. */
  after: STATE,
  tookMs: z.number().nonnegative(),
});

export type CompactReport = z.infer<typeof COMPACT_REPORT>;

/** Compacts all that is stored now, and says what that changed. */
export async function compactNow(
  store: Pick<Store, "compact">,
  reader: Pick<StoreReader, "stats">,
): Promise<CompactReport> {
  const before = STATE.parse(reader.stats());
  const startedMs = performance.now();
  await store.compact();
  const tookMs = Math.round(performance.now() - startedMs);
  return { before, after: STATE.parse(reader.stats()), tookMs };
}
