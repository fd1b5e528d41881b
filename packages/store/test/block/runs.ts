import { Buffer } from "node:buffer";
import type { Attributes, RecordColumns } from "@sluice/protocol";
import * as fc from "fast-check";
import type { Run } from "../../src/block/run.ts";

/** One record as an object: what columns are compared by. */
export interface RecordOfTest {
  readonly timeUs: number;
  readonly severity: number;
  readonly body: Uint8Array;
  readonly attributes: Attributes | undefined;
}

export function toColumns(list: readonly RecordOfTest[]): RecordColumns {
  const bodyOffsets = new Uint32Array(list.length + 1);
  list.forEach((record, i) => {
    bodyOffsets[i + 1] = (bodyOffsets[i] ?? 0) + record.body.length + 1;
  });
  return {
    count: list.length,
    timesUs: Float64Array.from(list, (record) => record.timeUs),
    severities: Uint8Array.from(list, (record) => record.severity),
    bodyOffsets,
    bodies: Buffer.concat(list.flatMap((record) => [record.body, Uint8Array.of(0x0a)])),
    attributes: list.some((record) => record.attributes !== undefined)
      ? list.map((record) => record.attributes)
      : undefined,
  };
}

export function toRecords(columns: RecordColumns): RecordOfTest[] {
  return Array.from({ length: columns.count }, (_, i) => ({
    timeUs: columns.timesUs[i] ?? NaN,
    severity: columns.severities[i] ?? NaN,
    body: Uint8Array.from(
      columns.bodies.subarray(columns.bodyOffsets[i], (columns.bodyOffsets[i + 1] ?? 0) - 1),
    ),
    attributes: columns.attributes?.[i],
  }));
}

/** A run of lines, all of one arrival. */
export function runOf(list: readonly RecordOfTest[], streamId = 1): Run {
  return {
    streamId,
    columns: toColumns(list),
    seqs: Float64Array.from(list, (_, i) => i),
    arrivals: [{ count: list.length, receivedUs: 0, batchId: 1 }],
  };
}

export function line(body: string, timeUs = 0): RecordOfTest {
  return {
    timeUs,
    severity: 9,
    body: Uint8Array.from(Buffer.from(body, "latin1")),
    attributes: undefined,
  };
}

const YEAR_US = 365.25 * 86_400 * 1e6;
const NOW_US = 1_750_000_000_000_000;
const MAX_US = 2 ** 52 - 1;

const timeUs: fc.Arbitrary<number> = fc.oneof(
  fc.integer({ min: NOW_US, max: NOW_US + 3e6 }),
  fc.integer({ min: NOW_US - 10 * YEAR_US, max: NOW_US + 10 * YEAR_US }),
  fc.integer({ min: -YEAR_US, max: YEAR_US }),
  fc.constantFrom(-MAX_US, MAX_US, 0, -1, 1),
);

const two = (value: number) => String(value).padStart(2, "0");
const names = (text: string) => text.split(" ");
const MONTHS = names("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec");
const DAYS = names("Sun Mon Tue Wed Thu Fri Sat");

/** Digits of nanoseconds, one to four of them, that differ from time to time. */
function nanosOf(us: number): string {
  return (
    String((us * 7919) % 1000)
      .padStart(3, "0")
      .slice(0, 1 + (us % 3)) + (us % 50 === 7 ? "00" : "")
  );
}

/** Ways to write the wall clock of a time, made without the code under test. */
const WRITERS: readonly ((date: Date, fractionUs: number) => string)[] = [
  (date) => date.toISOString(),
  (date, us) => `${date.toISOString().slice(0, 19)}.${String(us).padStart(6, "0")}+00:00`,
  (date, us) => `${date.toISOString().slice(0, 19)}.${String(us).padStart(6, "0")}${nanosOf(us)}Z`,
  (date) => date.toISOString().slice(0, 23).replace("T", " ").replace(".", ","),
  (date) => date.toISOString().slice(0, 19),
  (date) =>
    `${MONTHS[date.getUTCMonth()]} ${String(date.getUTCDate()).padStart(2)} ${date.toISOString().slice(11, 19)}`,
  (date) =>
    `[${two(date.getUTCDate())}/${MONTHS[date.getUTCMonth()]}/${date.getUTCFullYear()}:${date.toISOString().slice(11, 19)} +0000]`,
  (date) =>
    `[${DAYS[date.getUTCDay()]} ${MONTHS[date.getUTCMonth()]} ${two(date.getUTCDate())} ${date.toISOString().slice(11, 19)} ${date.getUTCFullYear()}]`,
  (date) => date.toISOString().slice(2, 19).replaceAll(/[-:]/g, "").replace("T", " "),
  (date) => date.toISOString().slice(5, 23).replace("T", " "),
  (date) => String(Math.floor(date.getTime() / 1000)),
  (date) => String(date.getTime()),
  (date) =>
    `${date.toISOString().slice(0, 10).replaceAll("-", "")}-${date.getUTCHours()}:${date.getUTCMinutes()}:${date.getUTCSeconds()}`,
];

/** A time as one of the writers writes it, in a zone. */
export function writeTime(writer: number, time: number, zoneMinutes = 0): string {
  const write = WRITERS[writer % WRITERS.length] ?? String;
  const wallUs = time + zoneMinutes * 60e6;
  const fractionUs = wallUs - Math.floor(wallUs / 1e6) * 1e6;
  return write(new Date(Math.floor(wallUs / 1000)), fractionUs);
}

const word = fc.constantFrom(
  "error",
  "sshd[12]:",
  "2026",
  "10.0.0.1",
  "\x01",
  "\x02\x03",
  "a\nb",
  "é",
  "\xff",
  "",
  "x-y_z",
  "May",
);

/** Bodies with their own time in them, in one way or two, at any place and perhaps inside a word. */
const stamped: fc.Arbitrary<RecordOfTest> = fc
  .record({
    timeUs,
    writer: fc.nat({ max: WRITERS.length - 1 }),
    second: fc.option(fc.nat({ max: WRITERS.length - 1 }), { freq: 3 }),
    zone: fc.constantFrom(0, 0, 0, 120, -570),
    before: fc.array(word, { maxLength: 2 }),
    after: fc.array(word, { maxLength: 4 }),
    gap: fc.constantFrom(" ", " ", " ", "", ":"),
    severity: fc.integer({ min: 0, max: 24 }),
  })
  .map(({ timeUs: time, writer, second, zone, before, after, gap, severity }) => {
    const stamps = [writeTime(writer, time, zone)];
    if (second !== null) stamps.push(writeTime(second, time, zone));
    const text = [...before, ...stamps, ...after].join(gap);
    return { timeUs: time, severity, body: Buffer.from(text, "latin1"), attributes: undefined };
  });

const attributes: fc.Arbitrary<Attributes | undefined> = fc.option(
  fc.dictionary(fc.constantFrom("a", "__proto__", "é"), fc.string({ maxLength: 5 }), {
    minKeys: 1,
    noNullPrototype: false,
  }),
  { nil: undefined, freq: 4 },
);

const anything: fc.Arbitrary<RecordOfTest> = fc.record({
  timeUs,
  severity: fc.integer({ min: 0, max: 24 }),
  body: fc.oneof(
    fc.uint8Array({ maxLength: 40 }),
    fc.constant(new Uint8Array(0)),
    fc.constant(Uint8Array.of(0x0a, 0x0d, 0x00, 0xff)),
    fc.uint8Array({ minLength: 600, maxLength: 3000 }),
  ),
  attributes: attributes.filter((value) =>
    Object.values(value ?? {}).every((text) => text.isWellFormed()),
  ),
});

/** Records of one writer's lines, close together: what a log is. */
const steady: fc.Arbitrary<RecordOfTest[]> = fc
  .record({
    writer: fc.nat({ max: WRITERS.length - 1 }),
    start: timeUs,
    steps: fc.array(fc.integer({ min: -1000, max: 70_000_000 }), { minLength: 1, maxLength: 30 }),
    zone: fc.constantFrom(0, 60),
    text: fc.array(word, { minLength: 1, maxLength: 5 }),
  })
  .map(({ writer, start, steps, zone, text }) => {
    let time = Math.max(-MAX_US + 1e9, Math.min(start, MAX_US - 4e9));
    return steps.map((step, i) => {
      time += step;
      const rest = text.slice(i % text.length).join(" ");
      return line(`${writeTime(writer, time, zone)} ${rest}`, time);
    });
  });

export const recordLists: fc.Arbitrary<RecordOfTest[]> = fc.oneof(
  fc.array(fc.oneof(stamped, anything), { minLength: 1, maxLength: 30 }),
  fc.array(stamped, { minLength: 1, maxLength: 20 }),
  steady,
);

/** Runs of one stream or several, with gaps between their records and several arrivals. */
export const runs: fc.Arbitrary<Run[]> = fc.array(
  fc
    .record({
      streamId: fc.integer({ min: 0, max: 2 ** 40 }),
      list: recordLists,
      first: fc.integer({ min: 0, max: 2 ** 50 }),
      gapAt: fc.nat({ max: 40 }),
      gap: fc.integer({ min: 0, max: 2 ** 40 }),
      received: timeUs,
      batchId: fc.integer({ min: 0, max: 2 ** 50 }),
    })
    .map(({ streamId, list, first, gapAt, gap, received, batchId }) => {
      const split = Math.min(gapAt, list.length - 1);
      const arrivals =
        split === 0
          ? [{ count: list.length, receivedUs: received, batchId }]
          : [
              { count: split, receivedUs: received, batchId },
              { count: list.length - split, receivedUs: received + 1, batchId: batchId + 7 },
            ];
      const seqs = Float64Array.from(list, (_, i) => first + i + (i >= split ? gap : 0));
      return { streamId, columns: toColumns(list), seqs, arrivals };
    }),
  { minLength: 1, maxLength: 3 },
);
