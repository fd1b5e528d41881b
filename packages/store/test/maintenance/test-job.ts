import { DeleteIssuer } from "../../src/head/delete-issuer.ts";
import type { JobContext } from "../../src/maintenance/job-context.ts";
import { announceSegments, applySwap, type Swap } from "../../src/manifest/swap.ts";
import type { StoredLog } from "../stored-log.ts";

/** A job's surroundings without threads: what it asks of the writer is done at once. */
export interface TestJob extends JobContext {
  /** What was moved aside. */
  readonly putAside: string[];
  readonly swaps: Swap[];
}

/** @param before is called with each swap, before it is carried out */
export function testJob(log: StoredLog, before: (swap: Swap) => void = () => undefined): TestJob {
  const swaps: Swap[] = [];
  const putAside: string[] = [];
  return {
    dataDir: log.dataDir,
    db: log.db,
    swaps,
    putAside,
    announce: async (paths) => announceSegments(log.db, paths),
    swap: async (swap) => {
      before(swap);
      swaps.push(swap);
      return applySwap(log.db, swap);
    },
    discard: () => undefined,
    checkpoint: async () => undefined,
    nowUs: () => Date.now() * 1000,
    quarantined: (what) => putAside.push(what),
  };
}

export interface TestDelete {
  readonly query: string;
  readonly fromUs?: number;
  readonly untilUs?: number;
  /** Receipt of the last records that it takes. */
  readonly receivedUs: number;
}

export function issueDelete(log: StoredLog, { receivedUs, ...order }: TestDelete): number {
  const issuer = new DeleteIssuer(log.db, { closeReceipts: () => receivedUs });
  const { fromUs, untilUs } = order;
  return issuer.issue({ query: order.query, fromUs, untilUs, issuedUs: Date.now() * 1000 }).id;
}

/** As the last step of a removal does it. */
export function finishDeletes(log: StoredLog, deletes: readonly number[]): void {
  applySwap(log.db, {
    add: [],
    removeBatches: [],
    removeSegments: [],
    removed: [],
    deletesSeen: undefined,
    deletesDone: deletes,
    job: undefined,
  });
}
