/* oxlint-disable typescript/no-non-null-assertion -- loops over typed arrays of one length */

/** A group's number takes one byte. */
export const MAX_GROUPS = 256;

/** The order of a block's lines: by group, inside a group by record. */
export interface LineOrder {
  /** Group of each record. */
  readonly groups: Uint8Array;
  /** Line of each record. */
  readonly lineOf: Uint32Array;
  /** Record of each line. */
  readonly recordOf: Uint32Array;
}

/** Lays out the lines of records whose groups are known. */
export function orderLines(groups: Uint8Array): LineOrder {
  const count = groups.length;
  const next = new Uint32Array(MAX_GROUPS + 1);
  for (let i = 0; i < count; i++) next[groups[i]! + 1]!++;
  for (let group = 0; group < MAX_GROUPS; group++) next[group + 1]! += next[group]!;
  const lineOf = new Uint32Array(count);
  const recordOf = new Uint32Array(count);
  for (let i = 0; i < count; i++) {
    const line = next[groups[i]!]!++;
    lineOf[i] = line;
    recordOf[line] = i;
  }
  return { groups, lineOf, recordOf };
}

/** Groups records by template. Templates beyond what a byte can number, the rarest, share a group. */
export function groupTemplates(templates: Int32Array): Uint8Array {
  const counts = new Map<number, number>();
  for (const template of templates) counts.set(template, (counts.get(template) ?? 0) + 1);
  const known = [...counts].sort((a, b) => b[1] - a[1]).slice(0, MAX_GROUPS - 1);
  const numbers = new Map(known.map(([template], group) => [template, group]));
  const rest = known.length;
  return Uint8Array.from(templates, (template) => numbers.get(template) ?? rest);
}
