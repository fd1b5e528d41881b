import {
  compileRules,
  keepOf,
  type RetentionPolicy,
  type RuleKey,
  type StoredUnit,
} from "@sluice/retention";
import {
  SEGMENT_BASE_BYTES,
  type SegmentPart,
  type StoredPart,
  type StreamInfo,
} from "@sluice/store";
import { timeUs } from "@sluice/quantity";

/** Where units lie, as the store takes them away. */
export interface DropPlaces {
  readonly batchIds: readonly number[];
  readonly segmentIds: readonly number[];
  /** Of segments that otherwise stay. */
  readonly segmentParts: readonly SegmentPart[];
}

/** Parts of one segment that belong to the same rules. */
interface PartGroup {
  readonly parts: [StoredPart, ...StoredPart[]];
  /** How long the longest of its rules keeps. */
  readonly keepMs: number;
}

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
    const rules = new StreamRules(streams, policy);
    const segments = new Map<number, Map<string, PartGroup>>();
    const units: StoredUnit[] = [];
    for (const part of parts) {
      const { place } = part;
      if (place.kind === "batch") {
        const id = `batch-${place.batch}`;
        this.#batchOf.set(id, place.batch);
        units.push(toUnit(id, [part], part.bytes, rules.stream(part)));
      } else {
        const groups = segments.get(place.segment) ?? new Map<string, PartGroup>();
        segments.set(place.segment, groups);
        const { names, keepMs } = rules.of(part);
        const group = groups.get(names);
        if (group === undefined) {
          groups.set(names, { parts: [part], keepMs });
        } else {
          group.parts.push(part);
        }
      }
    }
    for (const [segment, groups] of segments) {
      this.#unitsIn.set(segment, groups.size);
      for (const [index, { group, bytes }] of shareOut([...groups.values()]).entries()) {
        const id =
          groups.size === 1 ? `segment-${segment}` : `segment-${segment}-part-${index + 1}`;
        const streamIds = group.parts.map(({ streamId }) => streamId);
        this.#partOf.set(id, { segment, streams: streamIds });
        units.push(toUnit(id, group.parts, bytes, rules.stream(group.parts[0])));
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
  readonly #policy: RetentionPolicy;
  readonly #matcher;
  readonly #tables = new Map<number, readonly RuleKey[]>();

  constructor(streams: readonly StreamInfo[], policy: RetentionPolicy) {
    this.#streams = new Map(streams.map((stream) => [stream.streamId, stream]));
    this.#policy = policy;
    this.#matcher = compileRules(policy);
  }

  stream({ streamId }: StoredPart): StreamInfo {
    const stream = this.#streams.get(streamId);
    if (stream === undefined) {
      throw new Error(`records of stream ${streamId} are stored, and the stream is unknown`);
    }
    return stream;
  }

  /** The same names for the same rules. Unknown severities may be any. */
  of(part: StoredPart): { readonly names: string; readonly keepMs: number } {
    const { streamId, severities } = part;
    const table = this.#tables.get(streamId) ?? this.#matcher.rulesFor(this.stream(part));
    this.#tables.set(streamId, table);
    const present = table.filter((_, bit) => severities === 0 || (severities >>> bit) & 1);
    const rules = [...new Set(present)];
    const keeps = rules.map((rule) => keepOf(this.#policy, rule));
    return {
      names: rules.map(String).sort().join(" "),
      keepMs: Math.max(...keeps.map((keep) => (keep === "forever" ? Infinity : keep))),
    };
  }
}

/**
 * What comes back when a group goes: its share of the file, but of what the file takes by itself. That
 * comes back with the last group, which is the one that is kept longest.
 */
function shareOut(
  groups: readonly PartGroup[],
): readonly { readonly group: PartGroup; readonly bytes: number }[] {
  const sizes = groups.map(({ parts }) => parts.reduce((sum, { bytes }) => sum + bytes, 0));
  const total = sizes.reduce((sum, bytes) => sum + bytes, 0);
  const shared = Math.max(0, 1 - SEGMENT_BASE_BYTES / total);
  const last = groups.indexOf(groups.reduce((a, b) => (b.keepMs > a.keepMs ? b : a)));
  const shares = sizes.map((bytes) => Math.round(bytes * shared));
  const base = total - shares.reduce((sum, bytes) => sum + bytes, 0);
  return groups.map((group, index) => ({
    group,
    bytes: (shares[index] ?? 0) + (index === last ? base : 0),
  }));
}

/** Names and severities are those of its first part: the others belong to the same rules. */
function toUnit(
  id: string,
  parts: readonly [StoredPart, ...StoredPart[]],
  bytes: number,
  { host, source, labels }: StreamInfo,
): StoredUnit {
  const [{ severities }] = parts;
  let [firstUs, lastUs, records] = [Number.POSITIVE_INFINITY, 0, 0];
  for (const part of parts) {
    firstUs = Math.min(firstUs, part.firstReceivedUs);
    lastUs = Math.max(lastUs, part.lastReceivedUs);
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
