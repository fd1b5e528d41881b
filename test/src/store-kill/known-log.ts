import {
  compressPayloadSync,
  encodeColumns,
  encodeMessage,
  PAYLOAD_CODEC_ZSTD,
} from "@sluice/protocol";

/** A stream of which every record follows from its number and the record's place in it. */
export interface KnownStream {
  readonly stream: number;
  readonly host: string;
  readonly source: string;
}

/** Where a frame belongs, as the store gave it. */
export interface StreamPlace {
  readonly epoch: number;
  ordinal: number;
  nextSeq: number;
}

const HOSTS = 6;
const SOURCES = ["/var/log/syslog", "/var/log/app.log"] as const;

/** Words that deletes look for: each record has one of them. */
export const MARKS = 40;

const START_MS = Date.UTC(2026, 0, 1);
const INFO = 9;
const ERROR = 17;
const FILLER =
  "accepted connection from upstream; session opened for user root by (uid=0), pam_unix(sshd:session)";

export const KNOWN_STREAMS: readonly KnownStream[] = Array.from(
  { length: HOSTS * SOURCES.length },
  (_, stream) => ({
    stream,
    host: `host-${stream % HOSTS}`,
    source: SOURCES[Math.floor(stream / HOSTS)] as string,
  }),
);

/** Times run forward, at times with one that is late. */
function timeUsOf(seq: number): number {
  return (START_MS + seq * 10 - (seq % 17 === 0 ? 500 : 0)) * 1000;
}

export function severityOf(stream: number, seq: number): number {
  return mix(stream, seq) % 11 === 0 ? ERROR : INFO;
}

/** Which of the words a record has. */
export function markOf(stream: number, seq: number): number {
  return mix(stream + 1, seq) % MARKS;
}

/** The bytes of a record's body, now and then invalid as UTF-8. */
export function bodyOf(stream: number, seq: number): Buffer {
  const noise = mix(stream, seq + 7);
  const text =
    `${new Date(timeUsOf(seq) / 1000).toISOString()} ${KNOWN_STREAMS[stream]?.host ?? ""} ` +
    `unit[${noise % 900}]: s=${stream} n=${seq} mark${markOf(stream, seq)} ${FILLER.slice(noise % 50)}`;
  const body = Buffer.from(text, "latin1");
  if (noise % 31 === 0) {
    body[body.length - 1] = 0xc3;
  }
  return body;
}

/** The place of a body that `bodyOf` made, read from its text; undefined for any other. */
export function placeOf(body: Uint8Array): { stream: number; seq: number } | undefined {
  const match = / s=(\d+) n=(\d+) /.exec(Buffer.from(body).toString("latin1"));
  return match === null ? undefined : { stream: Number(match[1]), seq: Number(match[2]) };
}

/** One message with the next records of a stream, which it moves on. */
export function nextMessage(stream: number, place: StreamPlace, count: number): Uint8Array {
  const seqs = Array.from({ length: count }, (_, i) => place.nextSeq + i);
  const bodies = seqs.map((seq) => bodyOf(stream, seq));
  const bodyOffsets = new Uint32Array(count + 1);
  bodies.forEach((body, i) => (bodyOffsets[i + 1] = (bodyOffsets[i] ?? 0) + body.length + 1));
  const timesUs = Float64Array.from(seqs, timeUsOf);
  const raw = encodeColumns({
    count,
    timesUs,
    severities: Uint8Array.from(seqs, (seq) => severityOf(stream, seq)),
    bodyOffsets,
    bodies: Buffer.concat(bodies.flatMap((body) => [body, Buffer.from("\n")])),
    attributes: undefined,
  });
  const message = encodeMessage([
    {
      kind: "batch",
      stream,
      epoch: place.epoch,
      ordinal: place.ordinal,
      firstSeq: place.nextSeq,
      count,
      cursor: Buffer.from(`${place.nextSeq + count}`),
      minTimeUs: timesUs.reduce((least, us) => Math.min(least, us), Infinity),
      maxTimeUs: timesUs.reduce((most, us) => Math.max(most, us), 0),
      rawBytes: raw.length,
      codec: PAYLOAD_CODEC_ZSTD,
      payload: compressPayloadSync(raw),
    },
  ]);
  place.ordinal += 1;
  place.nextSeq += count;
  return Uint8Array.from(message);
}

/** A number that looks like chance, for a pair of numbers. */
function mix(a: number, b: number): number {
  let h = Math.imul(a + 0x9e37, 0x85ebca6b) ^ Math.imul(b + 1, 0xc2b2ae35);
  h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d);
  return (h ^ (h >>> 13)) >>> 0;
}
