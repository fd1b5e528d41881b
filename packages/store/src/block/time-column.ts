/* oxlint-disable typescript/no-non-null-assertion -- loops over typed arrays of one length */
import { MAX_TIME_US } from "@sluice/protocol";

/** Bytes of the largest number in a plane's column: 2^53 - 1. */
const MAX_PLANES = 7;
/** Units of differences; the last entry stands for times as they are, counted from -2^52. */
const UNITS_US = [1_000_000, 100_000, 10_000, 1000, 100, 10, 1, 0] as const;
const ABSOLUTE = UNITS_US.length - 1;
const ABSOLUTE_SHIFT_US = 2 ** 52;
/** Zigzag doubles a difference: beyond this it would not be exact. */
const MAX_STEP = 2 ** 51;

/**
 * Times as a first one and the differences of neighbours in a unit, zigzag encoded, each byte of them in a plane of its
 * own: the low byte of microseconds is noise, what is above it is not.
 */
export interface TimePlanes {
  readonly firstUs: number;
  /** Index in the list of units. */
  readonly unit: number;
  /** Lowest byte first, one byte per record. */
  readonly planes: readonly Uint8Array[];
}

export function splitTimes(timesUs: Float64Array): TimePlanes {
  const firstUs = timesUs[0]!;
  let unit = commonUnit(timesUs);
  const numbers = new Float64Array(timesUs.length);
  let largest = 0;
  let previousUs = firstUs;
  for (let i = 0; i < timesUs.length && unit !== ABSOLUTE; i++) {
    const step = (timesUs[i]! - previousUs) / UNITS_US[unit]!;
    previousUs = timesUs[i]!;
    const zigzag = step < 0 ? -2 * step - 1 : 2 * step;
    if (zigzag > MAX_STEP) unit = ABSOLUTE;
    numbers[i] = zigzag;
    if (zigzag > largest) largest = zigzag;
  }
  if (unit === ABSOLUTE) {
    largest = 2 ** 53 - 1;
    timesUs.forEach((timeUs, i) => (numbers[i] = timeUs + ABSOLUTE_SHIFT_US));
  }
  return { firstUs, unit, planes: splitPlanes(numbers, largest) };
}

function splitPlanes(numbers: Float64Array, largest: number): Uint8Array[] {
  const planes: Uint8Array[] = [];
  for (let shift = 0; 2 ** shift <= largest; shift += 8) {
    const plane = new Uint8Array(numbers.length);
    if (largest < 2 ** 31) {
      for (let i = 0; i < plane.length; i++) plane[i] = (numbers[i]! | 0) >>> shift;
    } else {
      const weight = 2 ** shift;
      for (let i = 0; i < plane.length; i++) plane[i] = Math.floor(numbers[i]! / weight) % 256;
    }
    planes.push(plane);
  }
  return planes;
}

/** Index of the largest unit in which all times differ from the first. */
function commonUnit(timesUs: Float64Array): number {
  const firstUs = timesUs[0]!;
  let unit = 0;
  for (let i = 1; i < timesUs.length && UNITS_US[unit] !== 1; i++) {
    const step = timesUs[i]! - firstUs;
    while (step % UNITS_US[unit]! !== 0) unit++;
  }
  return unit;
}

/** The times of `count` records, or undefined where the planes hold none. */
export function joinTimes(
  { firstUs, unit, planes }: TimePlanes,
  count: number,
): Float64Array | undefined {
  const unitUs = UNITS_US[unit];
  if (unitUs === undefined || planes.length > MAX_PLANES) return undefined;
  if (!planes.every((plane) => plane.length === count)) return undefined;
  const timesUs = new Float64Array(count);
  planes.forEach((plane, p) => {
    const weight = 256 ** p;
    for (let i = 0; i < count; i++) timesUs[i]! += plane[i]! * weight;
  });
  let timeUs = firstUs;
  for (let i = 0; i < count; i++) {
    const number = timesUs[i]!;
    if (unit === ABSOLUTE) timeUs = number - ABSOLUTE_SHIFT_US;
    else {
      const half = Math.floor(number / 2);
      timeUs += (half * 2 === number ? half : -1 - half) * unitUs;
    }
    if (!(timeUs <= MAX_TIME_US && timeUs >= -MAX_TIME_US)) return undefined;
    timesUs[i] = timeUs;
  }
  return timesUs;
}
