/* oxlint-disable typescript/no-non-null-assertion -- hot loops over typed arrays: an index is in range by the loop's own bounds */
import type { RecordColumns } from "@sluice/protocol";

/** The records at these indices, in their order, in columns of their own: whatever the source holds besides can be let go. */
export function gatherColumns(columns: RecordColumns, indices: ArrayLike<number>): RecordColumns {
  const { length: count } = indices;
  const { bodies, bodyOffsets, timesUs, severities, attributes } = columns;
  const gathered = new Uint32Array(count + 1);
  for (let i = 0; i < count; i++) {
    const index = indices[i]!;
    gathered[i + 1] = gathered[i]! + bodyOffsets[index + 1]! - bodyOffsets[index]!;
  }
  const bytes = new Uint8Array(gathered[count]!);
  const times = new Float64Array(count);
  const levels = new Uint8Array(count);
  for (let i = 0; i < count;) {
    // Neighbours are copied at once.
    const first = indices[i]!;
    let run = 1;
    while (i + run < count && indices[i + run] === first + run) {
      run++;
    }
    bytes.set(bodies.subarray(bodyOffsets[first], bodyOffsets[first + run]), gathered[i]);
    times.set(timesUs.subarray(first, first + run), i);
    levels.set(severities.subarray(first, first + run), i);
    i += run;
  }
  return {
    count,
    timesUs: times,
    severities: levels,
    bodyOffsets: gathered,
    bodies: bytes,
    attributes:
      attributes === undefined ? undefined : Array.from(indices, (index) => attributes[index]),
  };
}

/** Records from `from` to before `to`; a view where the source allows it. */
export function sliceColumns(columns: RecordColumns, from: number, to: number): RecordColumns {
  if (from === 0 && to === columns.count) {
    return columns;
  }
  const start = columns.bodyOffsets[from]!;
  return {
    count: to - from,
    timesUs: columns.timesUs.subarray(from, to),
    severities: columns.severities.subarray(from, to),
    bodyOffsets: columns.bodyOffsets.subarray(from, to + 1).map((offset) => offset - start),
    bodies: columns.bodies.subarray(start, columns.bodyOffsets[to]),
    attributes: columns.attributes?.slice(from, to),
  };
}

/** One after the other; at least one. */
export function concatColumns(parts: readonly RecordColumns[]): RecordColumns {
  const [first] = parts;
  if (first === undefined) {
    throw new RangeError("nothing to concatenate");
  }
  if (parts.length === 1) {
    return first;
  }
  const count = parts.reduce((sum, part) => sum + part.count, 0);
  const bytes = parts.reduce((sum, part) => sum + part.bodies.length, 0);
  const timesUs = new Float64Array(count);
  const severities = new Uint8Array(count);
  const bodyOffsets = new Uint32Array(count + 1);
  const bodies = new Uint8Array(bytes);
  let at = 0;
  let offset = 0;
  for (const part of parts) {
    timesUs.set(part.timesUs, at);
    severities.set(part.severities, at);
    bodies.set(part.bodies, offset);
    for (let i = 1; i <= part.count; i++) {
      bodyOffsets[at + i] = offset + part.bodyOffsets[i]!;
    }
    at += part.count;
    offset += part.bodies.length;
  }
  const hasAttributes = parts.some(({ attributes }) => attributes !== undefined);
  return {
    count,
    timesUs,
    severities,
    bodyOffsets,
    bodies,
    attributes: hasAttributes
      ? parts.flatMap(
          ({ attributes, count: own }) =>
            attributes ?? Array.from({ length: own }, () => undefined),
        )
      : undefined,
  };
}
