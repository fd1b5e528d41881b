import type { TimeUs } from "@sluice/quantity";
import type { DropReason } from "./reason.ts";

/** A unit that goes. */
export interface Drop {
  readonly id: string;
  readonly bytes: number;
  readonly records: number;
  readonly firstReceivedUs: TimeUs;
  readonly lastReceivedUs: TimeUs;
  readonly reason: DropReason;
}

/** What one reason takes away. */
export interface SummaryRow {
  readonly reason: DropReason;
  readonly units: number;
  readonly records: number;
  readonly bytes: number;
  readonly firstReceivedUs: TimeUs;
  readonly lastReceivedUs: TimeUs;
}

/** Adds up drops by reason, in the order in which the reasons come up. Drops of one reason share its object. */
export function summarize(drops: readonly Drop[]): readonly SummaryRow[] {
  const rows = new Map<DropReason, SummaryRow>();
  for (const drop of drops) {
    const row = rows.get(drop.reason);
    rows.set(drop.reason, row === undefined ? rowOf(drop) : addDrop(row, drop));
  }
  return [...rows.values()];
}

function rowOf({ reason, records, bytes, firstReceivedUs, lastReceivedUs }: Drop): SummaryRow {
  return { reason, units: 1, records, bytes, firstReceivedUs, lastReceivedUs };
}

function addDrop(row: SummaryRow, drop: Drop): SummaryRow {
  const isEarlier = drop.firstReceivedUs < row.firstReceivedUs;
  const isLater = drop.lastReceivedUs > row.lastReceivedUs;
  return {
    reason: row.reason,
    units: row.units + 1,
    records: row.records + drop.records,
    bytes: row.bytes + drop.bytes,
    firstReceivedUs: isEarlier ? drop.firstReceivedUs : row.firstReceivedUs,
    lastReceivedUs: isLater ? drop.lastReceivedUs : row.lastReceivedUs,
  };
}
