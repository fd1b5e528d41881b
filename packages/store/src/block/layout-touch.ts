/* oxlint-disable typescript/no-non-null-assertion -- loops over typed arrays of one length */
import type { BlockIndex } from "./block-index.ts";
import { LayoutText } from "./layout-text.ts";
import { type Shape, liesOn, shapesOfLayout, shapesOfTimes, shiftsOn } from "./stamp-shape.ts";
import type { TimeLayout } from "./time-layout.ts";

/** Shapes of what a layout makes of a block's times: found when first needed, at up to 0.3 us a second of log. */
const shapesByIndex = new WeakMap<BlockIndex, Map<TimeLayout, readonly Shape[]>>();

/** Shapes by pattern: there are few, and what another block has found holds for all. */
const shapesByPattern = new Map<string, readonly Shape[] | undefined>();
const MAX_PATTERNS = 256;

/**
 * Whether an occurrence of `text` in the body of one of the block's records, its ASCII letters of either case where
 * `anyCase`, may overlap a timestamp that is not in the text: by what the layouts can write first, then by the times.
 * Never wrong where it says no.
 */
export function mayTouchTimestamp(index: BlockIndex, text: Uint8Array, anyCase: boolean): boolean {
  return index.layouts.some(({ layout }) => {
    if (!agreesWithPattern(layout, text, anyCase)) return false;
    return shapesOf(index, layout).some((shape) => shiftsOn(shape, text, anyCase).length > 0);
  });
}

/**
 * The records, ascending, in whose bodies an occurrence of `text` may overlap a timestamp that is not in the text: of
 * each, the timestamp as it is written agrees with what of `text` would lie on it. No record is missing. The cost is
 * that of rendering the timestamps alone, and only where `mayTouchTimestamp`.
 */
export function recordsTouching(
  index: BlockIndex,
  text: Uint8Array,
  anyCase: boolean,
): Uint32Array {
  const isFound = new Uint8Array(index.count);
  for (const { layout } of index.layouts) {
    if (!agreesWithPattern(layout, text, anyCase)) continue;
    const shifts = new Map(
      shapesOf(index, layout).map((shape) => [shape.length, shiftsOn(shape, text, anyCase)]),
    );
    if ([...shifts.values()].some(({ length }) => length > 0))
      markTouching(isFound, index, new LayoutText(layout), (stamp) =>
        (shifts.get(stamp.length) ?? []).some((shift) => liesOn(stamp, text, shift, anyCase)),
      );
  }
  const records = new Uint32Array(isFound.reduce((sum, is) => sum + is, 0));
  for (let record = 0, at = 0; record < index.count; record++)
    if (isFound[record] === 1) records[at++] = record;
  return records;
}

function markTouching(
  isFound: Uint8Array,
  { timesUs, nanos }: BlockIndex,
  stamp: LayoutText,
  touches: (stamp: LayoutText) => boolean,
): void {
  let found = 0;
  for (let record = 0; record < timesUs.length; record++) {
    if (
      record === 0 ||
      timesUs[record] !== timesUs[record - 1] ||
      nanos[record] !== nanos[record - 1]
    ) {
      stamp.render(timesUs[record]!, nanos[record]);
      found = touches(stamp) ? 1 : 0;
    }
    isFound[record]! |= found;
  }
}

function shapesOf(index: BlockIndex, layout: TimeLayout): readonly Shape[] {
  const known = shapesByIndex.get(index) ?? new Map<TimeLayout, readonly Shape[]>();
  shapesByIndex.set(index, known);
  let shapes = known.get(layout);
  if (shapes === undefined) known.set(layout, (shapes = shapesOfTimes(layout, index.timesUs)));
  return shapes;
}

/** Whether any time at all may be written so that the text may overlap it. */
function agreesWithPattern(layout: TimeLayout, text: Uint8Array, anyCase: boolean): boolean {
  const { pattern } = layout;
  if (!shapesByPattern.has(pattern)) {
    if (shapesByPattern.size >= MAX_PATTERNS) shapesByPattern.clear();
    shapesByPattern.set(pattern, shapesOfLayout(layout));
  }
  const shapes = shapesByPattern.get(pattern);
  return shapes?.some((shape) => shiftsOn(shape, text, anyCase).length > 0) ?? true;
}
