/**
 * `node bench/read.ts [--size 200] [--files 200]` after `tsc -b`: MB/s of reading one file through a
 * reader with 1 MiB targets, beside plain pread into the same target, and the processor time of
 * waiting on many quiet files. Sizes in MB.
 */
import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { FileSource } from "../dist/index.js";

const { values } = parseArgs({
  options: {
    size: { type: "string", default: "200" },
    files: { type: "string", default: "200" },
    seconds: { type: "string", default: "5" },
  },
});
const sizeBytes = Number(values.size) * 1e6;
const TARGET_BYTES = 1024 * 1024;
const ROUNDS = 5;
const folder = mkdtempSync(join(tmpdir(), "tail-bench-"));
const { signal } = new AbortController();

try {
  console.log(`${cpus()[0]?.model}, Node ${process.version}, ${values.size} MB, page cache warm`);
  const path = join(folder, "big.log");
  const line = "2026-11-22T08:00:01.123456+00:00 web-1 sshd[4242]: Accepted publickey for root\n";
  writeFileSync(path, Buffer.alloc(sizeBytes, line));
  for (let round = 0; round < ROUNDS; round += 1) {
    const plain = plainPread(path);
    const read = await throughReader(path);
    console.log(`pread ${plain.toFixed(0)} MB/s, reader ${read.toFixed(0)} MB/s`);
  }
  await idle(Number(values.files), Number(values.seconds));
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function plainPread(path: string): number {
  const target = new Uint8Array(TARGET_BYTES);
  const fd = openSync(path, "r");
  const beganMs = performance.now();
  let offset = 0;
  for (let got = -1; got !== 0; offset += got) got = readSync(fd, target, 0, TARGET_BYTES, offset);
  const tookMs = performance.now() - beganMs;
  closeSync(fd);
  return offset / 1e3 / tookMs;
}

async function throughReader(path: string): Promise<number> {
  await using source = open([path], "beginning");
  await source.start();
  const [stream] = source.streams();
  if (stream === undefined) throw new Error("no stream");
  await using reader = source.reader(stream);
  const target = new Uint8Array(TARGET_BYTES);
  const beganMs = performance.now();
  for (;;) {
    const outcome = await reader.read(target, 0, signal);
    if (outcome.kind !== "bytes") break;
    reader.cursorAt(outcome.offset + outcome.length - 7);
  }
  if (reader.offset !== sizeBytes) throw new Error(`read ${reader.offset} bytes`);
  return sizeBytes / 1e3 / (performance.now() - beganMs);
}

async function idle(files: number, seconds: number): Promise<void> {
  for (let n = 0; n < files; n += 1) writeFileSync(join(folder, `idle-${n}.log`), `line ${n}\n`);
  await using source = open([join(folder, "idle-*.log")], "beginning");
  await source.start();
  const stop = new AbortController();
  const waits = source.streams().map(async (stream) => {
    const reader = source.reader(stream);
    const target = new Uint8Array(TARGET_BYTES);
    while (!stop.signal.aborted) {
      const outcome = await reader.read(target, 0, stop.signal);
      if (outcome.kind === "idle") await reader.changed(stop.signal);
    }
  });
  const waited = Promise.allSettled(waits);
  await pause(2_000);
  const before = process.cpuUsage();
  await pause(seconds * 1_000);
  const { user, system } = process.cpuUsage(before);
  const share = (user + system) / (seconds * 1e4);
  console.log(`${files} quiet files: ${share.toFixed(2)} % of one processor`);
  stop.abort();
  await waited;
}

function open(include: readonly string[], start: "beginning"): FileSource {
  const created = FileSource.create({ include, start });
  if (!created.ok) throw new Error(created.error.detail);
  return created.value;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
