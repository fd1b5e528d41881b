/**
 * Costs of the codec on batches of about 1 MiB of syslog-like lines: `node bench/codec.ts [seed]`.
 * Each figure is the median of 7 rounds.
 */
import { cpus } from "node:os";
import { crc32 } from "node:zlib";
import { BatchBuilder } from "../src/batch-builder.ts";
import { decodeBatch } from "../src/batch.ts";
import { decodeColumns, encodeColumns } from "../src/columns.ts";
import { compressPayload, compressPayloadSync, decompressPayload } from "../src/compression.ts";
import { type BatchFrame, PAYLOAD_CODEC_ZSTD } from "../src/frame.ts";
import { decodeMessage } from "../src/frame-decode.ts";
import { encodeMessage } from "../src/frame-encode.ts";
import { syslogLines } from "./syslog.ts";

const ROUNDS = 7;
const LF = 0x0a;

const seed = Number(process.argv[2] ?? 7);
const lines = syslogLines(1_047_000, seed);
const records = lines.timesUs.length;
const ends: number[] = [];
for (let at = lines.bytes.indexOf(LF); at >= 0; at = lines.bytes.indexOf(LF, at + 1)) ends.push(at);

const builder = new BatchBuilder();
function build(timesUs: readonly number[]): Buffer {
  builder.reset();
  for (let i = 0; i < records; i++) {
    if (!builder.add(ends[i] ?? 0, timesUs[i] ?? 0, lines.severities[i] ?? 0))
      throw new Error("the lines do not fit one batch");
  }
  return builder.finish();
}

lines.bytes.copy(builder.buffer);
const payload = Buffer.from(build(lines.timesUs));
const compressed = compressPayloadSync(payload);
const frame: BatchFrame = {
  kind: "batch",
  stream: 1,
  epoch: 1,
  ordinal: 0,
  firstSeq: 0,
  count: records,
  cursor: Buffer.alloc(200),
  minTimeUs: builder.minTimeUs,
  maxTimeUs: builder.maxTimeUs,
  rawBytes: payload.length,
  codec: PAYLOAD_CODEC_ZSTD,
  payload: compressed,
};
const message = encodeMessage([frame]);

function print(name: string, value: number, unit: string): void {
  process.stdout.write(`${name.padEnd(42)} ${value.toPrecision(4).padStart(9)} ${unit}\n`);
}

/** Median milliseconds of one call, over rounds of `calls` calls. */
async function measure(calls: number, call: () => unknown): Promise<number> {
  const rounds: number[] = [];
  for (let round = 0; round <= ROUNDS; round++) {
    const start = performance.now();
    for (let i = 0; i < calls; i++) await call();
    if (round > 0) rounds.push((performance.now() - start) / calls);
  }
  return rounds.toSorted((a, b) => a - b)[ROUNDS >> 1] ?? NaN;
}

async function perRecord(name: string, calls: number, call: () => unknown): Promise<void> {
  const ms = await measure(calls, call);
  print(name, (ms * 1e6) / records, "ns/record");
}

async function perByte(name: string, calls: number, call: () => unknown): Promise<void> {
  const ms = await measure(calls, call);
  print(name, payload.length / 1e3 / ms, "MB/s of payload");
}

/** Compressed bytes that a time column adds to a record, against one constant time. */
function timeCost(timesUs: readonly number[]): number {
  const constant = compressPayloadSync(build(timesUs.map(() => timesUs[0] ?? 0))).length;
  return (compressPayloadSync(build(timesUs)).length - constant) / records;
}

process.stdout.write(
  `${cpus()[0]?.model ?? "?"} x${cpus().length}, Node ${process.version}, seed ${seed}: ` +
    `${records} records, ${lines.bytes.length} bytes of bodies\n`,
);
await perRecord("BatchBuilder add + finish", 50, () => build(lines.timesUs));
const decoded = decodeColumns(payload, records);
if (!decoded.ok) throw new Error(decoded.error.detail);
await perRecord("encodeColumns", 10, () => encodeColumns(decoded.value));
await perByte("decodeColumns", 100, () => decodeColumns(payload, records));
await perByte("compressPayload, one at a time", 20, () => compressPayload(payload));
await perByte("compressPayloadSync", 20, () => compressPayloadSync(payload));
await perByte("decompressPayload", 20, () => decompressPayload(compressed, payload.length));
await perByte("decodeMessage (checks and checksum)", 200, () => decodeMessage(message));
await perByte("decodeMessage + decodeBatch", 20, () => {
  decodeMessage(message);
  decodeBatch(frame);
});
const crcMs = await measure(500, () => crc32(message));
print("crc32 of a message", message.length / 1e3 / crcMs, "MB/s of message");
print("compressed / payload", compressed.length / payload.length, "");
print(
  "columns before compression",
  (payload.length - lines.bytes.length) / records,
  "bytes/record",
);
print(
  "columns after compression",
  (compressed.length - compressPayloadSync(lines.bytes).length) / records,
  "bytes/record",
);
print("times, whole seconds, compressed", timeCost(lines.timesUs), "bytes/record");
let noise = seed;
const micros = lines.timesUs.map((timeUs, i) => {
  noise = (noise * 48_271 + i) % 2_147_483_647;
  return timeUs + (noise % 1_000_000);
});
print("times, random microseconds, compressed", timeCost(micros), "bytes/record");
