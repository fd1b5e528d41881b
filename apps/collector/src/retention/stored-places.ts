import { compileRules, type RetentionPolicy, type StoredUnit } from "@sluice/retention";
import type { SegmentPart, StoredPart, StreamInfo } from "@sluice/store";
import { timeUs } from "@sluice/quantity";

/** Where units lie, as the store takes them away. */
export interface DropPlaces {
  readonly batchIds: readonly number[];
  readonly segmentIds: readonly number[];
  /** Of segments that otherwise stay. */
  readonly segmentParts: readonly SegmentPart[];
}

type PartGroup = [StoredPart, ...StoredPart[]];

/**
 * What is stored as the planner's units, and back. A batch of the head is a unit; so is what of a
 * segment belongs to the same rules, which is the whole of one that was compacted under the policy
 * in force. After a change of policy a segment may be several units: to drop one of them, the
 * segment is written anew.
 */
export class StoredPlaces {
  readonly units: readonly StoredUnit[];
  readonly #batchOf = new Map<string, number>();
  readonly #partOf = new Map<string, SegmentPart>();
  /** How many units each segment is. */
  readonly #unitsIn = new Map<number, number>();

  /** @throws Error for a part whose stream is not among the streams */
  constructor(
    parts: readonly StoredPart[],
    streams: readonly StreamInfo[],
    policy: RetentionPolicy,
  ) {
    const names = new StreamRules(streams, policy);
    const bySegment = new Map<number, Map<string, PartGroup>>();
    const units: StoredUnit[] = [];
    for (const part of parts) {
      const { place } = part;
      if (place.kind === "batch") {
        const id = `batch-${place.batch}`;
        this.#batchOf.set(id, place.batch);
        units.push(toUnit(id, [part], names.stream(part)));
        continue;
      }
      const groups = bySegment.get(place.segment) ?? new Map<string, PartGroup>();
      bySegment.set(place.segment, groups);
      const rules = names.rulesOf(part);
      const group = groups.get(rules);
      if (group === undefined) {
        groups.set(rules, [part]);
      } else {
        group.push(part);
      }
    }
    for (const [segment, groups] of bySegment) {
      this.#unitsIn.set(segment, groups.size);
      let number = 1;
      for (const group of groups.values()) {
        const id = groups.size === 1 ? `segment-${segment}` : `segment-${segment}-part-${number}`;
        number += 1;
        this.#partOf.set(id, { segment, streams: group.map(({ streamId }) => streamId) });
        units.push(toUnit(id, group, names.stream(group[0])));
      }
    }
    this.units = units;
  }

  /** A segment all of whose units go, goes whole. */
  placesOf(unitIds: Iterable<string>): DropPlaces {
    const batchIds: number[] = [];
    const bySegment = new Map<number, SegmentPart[]>();
    for (const id of unitIds) {
      const batch = this.#batchOf.get(id);
      const part = this.#partOf.get(id);
      if (batch !== undefined) {
        batchIds.push(batch);
      } else if (part !== undefined) {
        bySegment.set(part.segment, [...(bySegment.get(part.segment) ?? []), part]);
      }
    }
    const segments = [...bySegment];
    const isWhole = ([segment, parts]: (typeof segments)[number]): boolean =>
      parts.length === this.#unitsIn.get(segment);
    return {
      batchIds,
      segmentIds: segments.filter(isWhole).map(([segment]) => segment),
      segmentParts: segments
        .filter((entry) => !isWhole(entry))
        .map(([segment, parts]) => ({ segment, streams: parts.flatMap(({ streams }) => streams) })),
    };
  }
}

/** Which rules the records of a part belong to; asked once a stream, since globs are slow. */
class StreamRules {
  readonly #streams: ReadonlyMap<number, StreamInfo>;
  readonly #matcher;
  readonly #tables = new Map<number, readonly string[]>();

  constructor(streams: readonly StreamInfo[], policy: RetentionPolicy) {
    this.#streams = new Map(streams.map((stream) => [stream.streamId, stream]));
    this.#matcher = compileRules(policy);
  }

  stream({ streamId }: StoredPart): StreamInfo {
    const stream = this.#streams.get(streamId);
    if (stream === undefined) {
      throw new Error(`records of stream ${streamId} are stored, and the stream is unknown`);
    }
    return stream;
  }

  /** The same text for the same rules. Unknown severities may be any. */
  rulesOf(part: StoredPart): string {
    const { streamId, severities } = part;
    const table =
      this.#tables.get(streamId) ?? this.#matcher.rulesFor(this.stream(part)).map(String);
    this.#tables.set(streamId, table);
    const present = table.filter((_, bit) => severities === 0 || (severities >>> bit) & 1);
    return [...new Set(present)].sort().join(" ");
  }
}

/** Names and severities are those of its first part: the others belong to the same rules. */
function toUnit(
  id: string,
  parts: Readonly<PartGroup>,
  { host, source, labels }: StreamInfo,
): StoredUnit {
  const [{ severities }] = parts;
  let [firstUs, lastUs, bytes, records] = [Number.POSITIVE_INFINITY, 0, 0, 0];
  for (const part of parts) {
    firstUs = Math.min(firstUs, part.firstReceivedUs);
    lastUs = Math.max(lastUs, part.lastReceivedUs);
    bytes += part.bytes;
    records += part.records;
  }
  return {
    id,
    host,
    source,
    labels,
    severities,
    firstReceivedUs: timeUs(firstUs),
    lastReceivedUs: timeUs(lastUs),
    bytes,
    records,
  };
}
