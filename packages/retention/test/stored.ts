import { timeUs } from "@sluice/quantity";
import type { TimeUs } from "@sluice/quantity";
import type { StoredUnit } from "../src/inventory.ts";
import { retentionPolicySchema } from "../src/policy-schema.ts";
import type { RetentionPolicy, RetentionPolicyInput } from "../src/policy.ts";

export const DAY_US = 86_400_000_000;
export const NOW: TimeUs = timeUs(Date.parse("2026-11-24T12:00:00Z") * 1000);

export const ALL_SEVERITIES: number = 2 ** 25 - 1;
export const INFO: number = 1 << 9;
export const WARN: number = 1 << 13;
export const ERROR: number = 1 << 17;

/** A policy whose floor of free disk is off unless it is given. */
export function policy(input: RetentionPolicyInput = {}): RetentionPolicy {
  return retentionPolicySchema.parse({ min_free: 0, ...input });
}

/** A moment so many microseconds before `NOW`. */
export function ago(us: number): TimeUs {
  return timeUs(NOW - us);
}

/** A unit of 100 bytes and 10 records of level info, received just now, unless said otherwise. */
export function unit(id: string, given: Partial<StoredUnit> = {}): StoredUnit {
  const lastReceivedUs = given.lastReceivedUs ?? NOW;
  return {
    id,
    host: "web-1",
    source: "/var/log/syslog",
    labels: {},
    severities: INFO,
    firstReceivedUs: lastReceivedUs,
    bytes: 100,
    records: 10,
    ...given,
    lastReceivedUs,
  };
}
