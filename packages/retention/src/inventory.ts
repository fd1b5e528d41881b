import type { TimeUs } from "@sluice/quantity";
import type { StreamNames } from "./match.ts";

/** The least that storage can give back by itself: records of one stream that go together or stay together. */
export interface StoredUnit extends StreamNames {
  /** Unique in its inventory. */
  readonly id: string;
  /** Bit n is set when a record of severity n may be in the unit; 0 when nothing is known about it. */
  readonly severities: number;
  readonly firstReceivedUs: TimeUs;
  readonly lastReceivedUs: TimeUs;
  /** What comes back when the unit goes. */
  readonly bytes: number;
  readonly records: number;
}

/** The volume that the data lies on. */
export interface Volume {
  readonly freeBytes: number;
  readonly totalBytes: number;
}

/** What is stored. */
export interface Inventory {
  readonly units: readonly StoredUnit[];
  /** Everything under the data folder: the units and what no unit accounts for. */
  readonly totalBytes: number;
  /** Absent where it could not be read: `min_free` is then not looked at. */
  readonly volume?: Volume | undefined;
}

/** Oldest first by last receipt, so that a unit goes when its newest record is the oldest of all; ids settle the rest. */
export function compareUnits(a: StoredUnit, b: StoredUnit): number {
  return (
    a.lastReceivedUs - b.lastReceivedUs ||
    a.firstReceivedUs - b.firstReceivedUs ||
    (a.id < b.id ? -1 : a.id > b.id ? 1 : 0)
  );
}
