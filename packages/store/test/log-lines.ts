import fc from "fast-check";

import { writeTime } from "./block/runs.ts";
import type { TestRecord } from "./frames.ts";
import type { LogStream } from "./stored-log.ts";

/** Four streams of two hosts; one bears labels that fields of the bodies are named after. */
export const STREAMS: readonly LogStream[] = [
  { agentId: "b-agent", host: "web-1", source: "/var/log/syslog", generation: 1 },
  { agentId: "a-agent", host: "db-1", source: "/var/log/syslog", generation: 2 },
  {
    agentId: "a-agent",
    host: "db-1",
    source: "/var/log/auth.log",
    generation: 1,
    labels: { env: "prod", user: "root" },
  },
  { agentId: "a-agent", host: "db-1", source: "/var/log/syslog", generation: 1 },
];

/** 2026-11-26T08:00:00Z. */
export const START_US = 1_795_680_000_000_000;

export const MINUTE_US = 60_000_000;
export const DAY_US = 86_400_000_000;

/** Two blanks stand between them. */
const WORDS = [
  "error  Error:  needle  sshd[12]:  10.0.0.1  2026  08  Nov  26  00  1795680000  user=bob",
  "user=root n=5  a-b_c  é  naïve  \u{1f600}  id7f3a  \x01  \x02x  a\nb  \r  needle\nneedle  ",
].flatMap((line) => line.split("  "));

const anyText = fc
  .array(fc.constantFrom(...WORDS), { maxLength: 5 })
  .map((words) => Buffer.from(words.join(" ")));

const anyBytes = fc.oneof(
  fc.uint8Array({ maxLength: 12 }),
  fc
    .constantFrom("\xff needle", "needle\xc3", "\xa9needle", "\xc3\xc3\xa9")
    .map((text) => Buffer.from(text, "latin1")),
);

const anyJson = fc
  .record({
    user: fc.constantFrom("bob", "root"),
    n: fc.constantFrom(5, 7, "5"),
    text: fc.constantFrom("needle", "hay", "é"),
  })
  .map((fields) => Buffer.from(JSON.stringify(fields)));

const anyMoment = fc.oneof(
  fc.integer({ min: 0, max: 12 }).map((n) => START_US + n * MINUTE_US),
  fc.integer({ min: 0, max: 3_600_000_000 }).map((n) => START_US + n),
  fc.integer({ min: -2, max: 2 }).map((n) => START_US + n * DAY_US),
);

/** A record, often with its own time before or in its text, as the store elides it; seldom a long one. */
const anyRecord: fc.Arbitrary<TestRecord> = fc
  .record({
    timeUs: anyMoment,
    severity: fc.constantFrom(0, 5, 9, 13, 17, 21),
    text: fc.oneof(
      { weight: 6, arbitrary: anyText },
      { weight: 2, arbitrary: anyBytes },
      { weight: 2, arbitrary: anyJson },
    ),
    stamp: fc.option(fc.nat({ max: 30 }), { nil: undefined, freq: 4 }),
    // Of another moment than its record's: it stays in the text.
    skewUs: fc.constantFrom(0, 0, 0, 0, 1_000_000),
    attributes: fc.option(
      fc.dictionary(fc.constantFrom("unit", "user", "env"), fc.constantFrom("bob", "x"), {
        minKeys: 1,
        maxKeys: 2,
        noNullPrototype: true,
      }),
      { nil: undefined, freq: 5 },
    ),
    longer: fc.oneof({ weight: 60, arbitrary: fc.constant(0) }, fc.constantFrom(3_000, 70_000)),
  })
  .map(({ timeUs, severity, text, stamp, skewUs, attributes, longer }) => {
    const written = stamp === undefined ? "" : `${writeTime(stamp, timeUs + skewUs)} `;
    const body = Buffer.concat([Buffer.from(written), text, Buffer.alloc(longer, "x")]);
    return { timeUs, severity, body, ...(attributes !== undefined && { attributes }) };
  });

export const anyBatch: fc.Arbitrary<readonly TestRecord[]> = fc.oneof(
  fc.array(anyRecord, { minLength: 1, maxLength: 10 }),
  fc
    .array(anyRecord, { minLength: 1, maxLength: 10 })
    .map((records) => records.toSorted((a, b) => (a.timeUs ?? 0) - (b.timeUs ?? 0))),
);

/** Two blanks stand between them. */
const TERMS = [
  'needle  error  NEEDLE  -needle  id7f3a  "needle needle"  2026  08  nov  1795680000  user:bob',
  "user:root  n:5  n:>5  env:prod  unit:x  -user:bob  level:>=warn  level:error  -level:>=warn",
  "host:web-1  source:*auth.log  /needle|hay/  /n[a-z]+e/  /ERROR/i  /^needle/  /é/  /./  /\\s/",
  '/a.b/  /2026-11/  /11-26T08/  /:00 /  /Nov 26/  /08:0[0-5]/  /26 08/  "é"  "Nov 26"',
  '"2026-11-26"  "T08:00"  "00 needle"  "needle 26"  needl  "eedle"',
].flatMap((line) => line.split("  "));

const COMBINED = [
  "needle level:>=warn  (needle OR error) host:db-1  user:bob OR level:error  needle -error",
  "/need.e/ 2026  (2026 OR 1795680000) -level:error  é OR id7f3a  host:web-1 OR needle",
  "level:>=error OR (source:*syslog 08)",
  // A text in the body, and a field that may be a label, an attribute or in the body.
  "08 user:root  Nov user:root  é user:root  26 env:prod  n:5 user:root",
].flatMap((line) => line.split("  "));

export const anyFilter: fc.Arbitrary<string> = fc.oneof(
  { weight: 2, arbitrary: fc.constant("*") },
  fc.constantFrom(...TERMS),
  fc.constantFrom(...COMBINED),
);
