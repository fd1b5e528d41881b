import { Buffer } from "node:buffer";
import {
  constants,
  zstdCompress,
  zstdCompressSync,
  zstdDecompress,
  zstdDecompressSync,
} from "node:zlib";
import { err, ok, type Result } from "@sluice/quantity";
import type { CodecError } from "./codec-error.ts";
import { LIMITS } from "./limits.ts";
import { readZstdFrame } from "./zstd-frame.ts";

/** On syslog lines level 3 takes twice the time of level 1 and saves nothing. */
const LEVEL = 1;

/** A frame that asks for more than this window (4 MiB, above any payload) is refused unread. */
const MAX_WINDOW_LOG = 22;

/** zlib's smallest chunk. */
const MIN_CHUNK_BYTES = 64;

function compressOptions(rawBytes: number) {
  return {
    params: {
      [constants.ZSTD_c_compressionLevel]: LEVEL,
      // The frame's CRC ends with the transport; this one goes to the disk with the payload.
      [constants.ZSTD_c_checksumFlag]: 1,
    },
    pledgedSrcSize: rawBytes,
    // Logs shrink to less than a quarter: their output fits one chunk, one trip to the pool.
    chunkSize: Math.max(1024, rawBytes >>> 2),
  };
}

/**
 * Where the output ends exactly at the end of a chunk, Node calls zstd once more and gets an empty
 * frame behind the whole one (seen with Node 24.21).
 */
function firstFrame(compressed: Buffer): Buffer {
  return compressed.subarray(0, readZstdFrame(compressed)?.frameBytes);
}

/** Compresses a payload on the thread pool. `payload` must not change until it resolves. */
export function compressPayload(payload: Uint8Array): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    zstdCompress(payload, compressOptions(payload.length), (error, compressed) => {
      if (error === null) resolve(firstFrame(compressed));
      else reject(error);
    });
  });
}

/** Compresses a payload here and now: for small ones, and for tests. */
export function compressPayloadSync(payload: Uint8Array): Buffer {
  return firstFrame(zstdCompressSync(payload, compressOptions(payload.length)));
}

/**
 * Decompresses exactly one zstd frame that states and holds exactly `rawBytes` bytes. Allocates no
 * more than that and a window of 4 MiB, whatever the input would inflate to.
 */
export function decompressPayload(
  compressed: Uint8Array,
  rawBytes: number,
): Result<Buffer, CodecError> {
  const bytes = Buffer.from(compressed.buffer, compressed.byteOffset, compressed.length);
  const refusal = refuseFrame(bytes, rawBytes);
  if (refusal !== undefined) return err(refusal);
  try {
    return wholePayload(zstdDecompressSync(bytes, decompressOptions(rawBytes)), rawBytes);
  } catch (cause) {
    return failed(cause);
  }
}

/** The same on the thread pool. `compressed` must not change until it resolves. */
export function decompressPayloadOnPool(
  compressed: Uint8Array,
  rawBytes: number,
): Promise<Result<Buffer, CodecError>> {
  const bytes = Buffer.from(compressed.buffer, compressed.byteOffset, compressed.length);
  const refusal = refuseFrame(bytes, rawBytes);
  if (refusal !== undefined) return Promise.resolve(err(refusal));
  return new Promise((resolve) => {
    zstdDecompress(bytes, decompressOptions(rawBytes), (error, raw) => {
      resolve(error === null ? wholePayload(raw, rawBytes) : failed(error));
    });
  });
}

/** Why compressed bytes cannot be a payload of this size; what can be said without decompressing them. */
function refuseFrame(bytes: Buffer, rawBytes: number): CodecError | undefined {
  const code = "bad_compression";
  if (!(rawBytes >= 1 && rawBytes <= LIMITS.payloadRawBytes))
    return { code: "limit_exceeded", detail: `a payload of ${rawBytes} bytes` };
  const frame = readZstdFrame(bytes);
  if (frame === undefined) return { code, detail: "the payload is not a whole zstd frame" };
  if (frame.frameBytes !== bytes.length)
    return { code, detail: "bytes follow the payload's zstd frame" };
  return frame.contentBytes === rawBytes
    ? undefined
    : { code, detail: "the zstd frame states another size" };
}

function decompressOptions(rawBytes: number) {
  return {
    params: { [constants.ZSTD_d_windowLogMax]: MAX_WINDOW_LOG },
    maxOutputLength: rawBytes,
    chunkSize: Math.max(MIN_CHUNK_BYTES, rawBytes),
  };
}

function wholePayload(raw: Buffer, rawBytes: number): Result<Buffer, CodecError> {
  return raw.length === rawBytes ? ok(raw) : bad("the zstd frame holds another size");
}

function failed(cause: unknown): Result<never, CodecError> {
  return bad(cause instanceof Error ? `zstd: ${cause.message}` : "zstd failed");
}

function bad(detail: string): Result<never, CodecError> {
  return err({ code: "bad_compression", detail });
}
