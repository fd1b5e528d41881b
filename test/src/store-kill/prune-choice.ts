import { timeUs } from "@sluice/quantity";
import type { RetentionCutoffs, RetentionOrder, StoredPart, StreamInfo } from "@sluice/store";

import type { Prng } from "../corpus/prng.ts";

type Policy = RetentionCutoffs["policy"];
type Rule = Policy["rules"][number];

/** From where on a level is an error. */
const ERROR = 17;

/** So many records stay where a prune is for all. */
const KEEP_RECORDS = 6_000;

/** What is in force before the first prune: errors are kept by a rule of their own. */
export const FIRST_VISIBILITY: RetentionCutoffs = {
  policy: {
    keep: "forever",
    min_free: { kind: "percent", percent: 0 },
    rules: [{ match: { level: ">=error" } }],
  },
  cutoffs: {},
};

/**
 * The next retention: cutoffs only rise, and rules for single hosts come at the end, so that a segment
 * written before holds records of several rules. Each does what a change of policy or the time would do.
 */
export function nextVisibility(
  { policy, cutoffs }: RetentionCutoffs,
  parts: readonly StoredPart[],
  random: Prng,
  hosts: readonly string[],
): RetentionCutoffs {
  const choice = random.below(4);
  if (choice === 0) {
    const host = hosts[random.below(hosts.length)] as string;
    const known = policy.rules.findIndex(({ match }) => match.host === host);
    const index = known === -1 ? policy.rules.length : known;
    const rule: Rule = { match: { host } };
    const rules = known === -1 ? [...policy.rules, rule] : policy.rules;
    const at = Math.max(cutoffs[index] ?? 0, cutoffs.default ?? 0, momentWith(parts, 1_000));
    return { policy: { ...policy, rules }, cutoffs: { ...cutoffs, [index]: timeUs(at) } };
  }
  const keys = choice === 1 ? ([0] as const) : ([0, "default"] as const);
  const at = momentWith(parts, KEEP_RECORDS);
  const raised = keys.map((key) => [key, timeUs(Math.max(cutoffs[key] ?? 0, at))] as const);
  return { policy, cutoffs: { ...cutoffs, ...Object.fromEntries(raised) } };
}

/** What of the stored parts has expired, as an order that drops it. */
export function pruneOrder(
  visibility: RetentionCutoffs,
  parts: readonly StoredPart[],
  streams: readonly StreamInfo[],
): Omit<RetentionOrder, "job"> {
  const byId = new Map(streams.map((stream) => [stream.streamId, stream]));
  const isExpired = ({ streamId, severities, lastReceivedUs }: StoredPart): boolean => {
    const host = byId.get(streamId)?.host ?? "";
    return [...Array(25).keys()].every(
      (severity) =>
        (severities & (1 << severity)) === 0 ||
        lastReceivedUs < cutoffOf(visibility, host, severity),
    );
  };
  const batchIds: number[] = [];
  const bySegment = new Map<number, { streamId: number; expired: boolean }[]>();
  for (const part of parts) {
    if (part.place.kind === "segment") {
      const list = bySegment.get(part.place.segment) ?? [];
      bySegment.set(part.place.segment, list);
      list.push({ streamId: part.streamId, expired: isExpired(part) });
    } else if (isExpired(part)) {
      batchIds.push(part.place.batch);
    }
  }
  const segments = [...bySegment];
  return {
    visibility,
    batchIds,
    segmentIds: segments
      .filter(([, list]) => list.every(({ expired }) => expired))
      .map(([id]) => id),
    segmentParts: segments
      .filter(
        ([, list]) => list.some(({ expired }) => expired) && !list.every((one) => one.expired),
      )
      .map(([segment, list]) => ({
        segment,
        streams: list.filter(({ expired }) => expired).map(({ streamId }) => streamId),
      })),
  };
}

/** The receipt time before which a record is not to be seen any more: what the store is to be compared with. */
export function cutoffOf(
  { policy, cutoffs }: RetentionCutoffs,
  host: string,
  severity: number,
): number {
  const isError = severity >= ERROR;
  const index = policy.rules.findIndex(({ match }) =>
    match.level === undefined ? match.host === host : isError,
  );
  return cutoffs[index === -1 ? "default" : index] ?? Number.NEGATIVE_INFINITY;
}

/** A receipt time that leaves about so many of the newest records. */
function momentWith(parts: readonly StoredPart[], records: number): number {
  let left = records;
  for (const part of parts.toSorted((a, b) => b.lastReceivedUs - a.lastReceivedUs)) {
    if (part.records >= left) {
      const { firstReceivedUs, lastReceivedUs } = part;
      const share = left / part.records;
      return Math.floor(lastReceivedUs - (lastReceivedUs - firstReceivedUs) * share);
    }
    left -= part.records;
  }
  return 0;
}
