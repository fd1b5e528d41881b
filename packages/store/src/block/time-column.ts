/* oxlint-disable typescript/no-non-null-assertion -- hot loops over typed arrays of one length */
import { MAX_TIME_US } from "@sluice/protocol/wire";

/** Bytes of the largest number in a plane's column: 2^53 - 1. */
const MAX_PLANES = 7;
const UNITS_US = Float64Array.of(1_000_000, 100_000, 10_000, 1000, 100, 10, 1);
const FINEST = UNITS_US.length - 1;
/** Where no unit is given, numbers are times counted from -2^52. */
const ABSOLUTE_SHIFT_US = 2 ** 52;
/** Zigzag doubles a difference: beyond this it would not be exact. */
const MAX_STEP = 2 ** 51;
/** Up to three planes make numbers for bitwise arithmetic. */
const SMALL_PLANES = 3;
const MAX_NANOS = 999;

/**
 * Times as differences, zigzag encoded, each byte of them in a plane of its own: the low byte of microseconds is noise,
 * what is above it is not. The records of one group are mostly written by one program and so to one precision: the
 * largest unit that all of its times are multiples of. A time is told as its distance, in its unit, from the last one
 * of that unit, so that lines of whole seconds among lines of microseconds do not make the times jump.
 */
export interface TimePlanes {
  /** From where each unit starts, rounded down to it. */
  readonly firstUs: number;
  /** Index in the list of units for each group; none where times are not differences. */
  readonly units: Uint8Array;
  /** Lowest byte first, one byte per record. */
  readonly planes: readonly Uint8Array[];
}

/** Throws a RangeError for a time that is none. */
export function splitTimes(timesUs: Float64Array, groups: Uint8Array): TimePlanes {
  for (const timeUs of timesUs) {
    if (!Number.isInteger(timeUs) || Math.abs(timeUs) > MAX_TIME_US)
      throw new RangeError(`time ${timeUs} is not a whole number of microseconds in range`);
  }
  const firstUs = timesUs[0]!;
  const units = findUnits(timesUs, groups);
  const numbers = new Float64Array(timesUs.length);
  const last = startTimes(firstUs);
  let largest = 0;
  for (let i = 0; i < timesUs.length; i++) {
    const unit = units[groups[i]!]!;
    const timeUs = timesUs[i]!;
    const step = (timeUs - last[unit]!) / UNITS_US[unit]!;
    last[unit] = timeUs;
    const zigzag = step < 0 ? -2 * step - 1 : 2 * step;
    numbers[i] = zigzag;
    if (zigzag > largest) largest = zigzag;
  }
  if (largest <= MAX_STEP) return { firstUs, units, planes: splitPlanes(numbers, largest) };
  const absolute = timesUs.map((timeUs) => timeUs + ABSOLUTE_SHIFT_US);
  return { firstUs, units: new Uint8Array(0), planes: splitPlanes(absolute, 2 ** 53 - 1) };
}

/** The last time of each unit before the first record. */
function startTimes(firstUs: number): Float64Array {
  return UNITS_US.map((unitUs) => Math.floor(firstUs / unitUs) * unitUs);
}

function findUnits(timesUs: Float64Array, groups: Uint8Array): Uint8Array {
  const units = new Uint8Array(groups.reduce((max, group) => Math.max(max, group), 0) + 1);
  for (let i = 0; i < timesUs.length; i++) {
    const group = groups[i]!;
    let unit = units[group]!;
    while (unit < FINEST && timesUs[i]! % UNITS_US[unit]! !== 0) unit++;
    units[group] = unit;
  }
  return units;
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

/** The times of records in those groups, or undefined where the planes hold none. */
export function joinTimes(
  { firstUs, units, planes }: TimePlanes,
  groups: Uint8Array,
): Float64Array | undefined {
  const count = groups.length;
  if (planes.length > MAX_PLANES || !planes.every((plane) => plane.length === count))
    return undefined;
  if (units.some((unit) => unit > FINEST)) return undefined;
  if (units.length === 0) return absoluteTimes(planes, count);
  const steps =
    planes.length <= SMALL_PLANES ? smallSteps(planes, count) : largeSteps(planes, count);
  const timesUs = new Float64Array(count);
  const last = startTimes(firstUs);
  for (let i = 0; i < count; i++) {
    const unit = units[groups[i]!];
    if (unit === undefined) return undefined;
    const timeUs = last[unit]! + steps[i]! * UNITS_US[unit]!;
    if (!(timeUs <= MAX_TIME_US && timeUs >= -MAX_TIME_US)) return undefined;
    last[unit] = timeUs;
    timesUs[i] = timeUs;
  }
  return timesUs;
}

function smallSteps(planes: readonly Uint8Array[], count: number): Int32Array {
  const steps = new Int32Array(count);
  planes.forEach((plane, p) => {
    const shift = 8 * p;
    for (let i = 0; i < count; i++) steps[i]! |= plane[i]! << shift;
  });
  for (let i = 0; i < count; i++) {
    const number = steps[i]!;
    steps[i] = (number >>> 1) ^ -(number & 1);
  }
  return steps;
}

function largeSteps(planes: readonly Uint8Array[], count: number): Float64Array {
  const steps = joinPlanes(planes, count);
  for (let i = 0; i < count; i++) {
    const half = Math.floor(steps[i]! / 2);
    steps[i] = half * 2 === steps[i]! ? half : -1 - half;
  }
  return steps;
}

function absoluteTimes(planes: readonly Uint8Array[], count: number): Float64Array | undefined {
  const timesUs = joinPlanes(planes, count).map((number) => number - ABSOLUTE_SHIFT_US);
  return timesUs.every((timeUs) => Math.abs(timeUs) <= MAX_TIME_US) ? timesUs : undefined;
}

function joinPlanes(planes: readonly Uint8Array[], count: number): Float64Array {
  const numbers = new Float64Array(count);
  planes.forEach((plane, p) => {
    const weight = 256 ** p;
    for (let i = 0; i < count; i++) numbers[i]! += plane[i]! * weight;
  });
  return numbers;
}

/** The low and the high byte of each record's nanoseconds (0 to 999); nothing where all are 0. */
export function splitNanos(nanos: Uint16Array): Uint8Array[] {
  if (nanos.every((nano) => nano === 0)) return [];
  return [
    Uint8Array.from(nanos, (nano) => nano & 0xff),
    Uint8Array.from(nanos, (nano) => nano >> 8),
  ];
}

/** Undefined where the planes hold no nanoseconds of `count` records. */
export function joinNanos(planes: readonly Uint8Array[], count: number): Uint16Array | undefined {
  const nanos = new Uint16Array(count);
  const [low, high] = planes;
  if (low === undefined) return nanos;
  if (planes.length !== 2 || low.length !== count || high?.length !== count) return undefined;
  for (let i = 0; i < count; i++) {
    nanos[i] = low[i]! | (high[i]! << 8);
    if (nanos[i]! > MAX_NANOS) return undefined;
  }
  return nanos;
}
