import { crc32 } from "node:zlib";
import {
  BatchBuilder,
  compressPayloadSync,
  encodeFrame,
  type FramePosition,
  GAP_CAUSES,
  PAYLOAD_CODEC_ZSTD,
} from "@sluice/protocol";

import type { Prng } from "../corpus/prng.ts";

/** PROTOCOL.md, Frames: where in a frame what stands. */
const AT = { frameBytes: 4, kind: 8, cursorBytes: 10, headerEnd: 64 } as const;

/** Stream and epoch; ordinal; first seq: below 2^48, so that what they claim is wrong and well formed. */
const PLACES = [
  [12, 20],
  [24, 30],
  [32, 38],
] as const;

/** Values at which counters and lengths go wrong. */
const EDGES = [0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fff_ffff, 0xffff_ffff] as const;

const LINES = 40;
const BOMB_BYTES = 1 << 20;

/**
 * What was done to a frame, by what the collector can know of it:
 *
 * - `damaged`: its checksum does not match any more
 * - `payload`: what is behind its header is another, under a checksum that matches
 * - `place`: it claims another stream, epoch or place
 * - `header`: any of its bytes, its length among them; the one kind that may cost the connection
 */
export type Mutation = "damaged" | "payload" | "place" | "header";

/** Makes frames for a stream's position and spoils them, the same for the same seed. */
export class FrameMutator {
  readonly #random: Prng;
  readonly #payloads: readonly { readonly raw: number; readonly packed: Buffer }[];

  constructor(random: Prng) {
    this.#random = random;
    this.#payloads = [0, 1, 2, 3].map(() => packedLines(random));
  }

  next(position: FramePosition, mutation: Mutation): Buffer {
    switch (mutation) {
      case "damaged": {
        const frame = this.sound(position);
        this.#edit(frame, AT.kind, frame.length);
        frame.writeUInt32LE((crc32(frame.subarray(AT.frameBytes)) ^ 1) >>> 0, 0);
        return frame;
      }
      case "payload": {
        const batch = this.#batch(position);
        this.#edit(batch, AT.headerEnd, batch.length);
        return seal(batch);
      }
      case "place": {
        const frame = this.sound(position);
        const [from, to] = PLACES[this.#random.below(PLACES.length)] ?? PLACES[0];
        this.#edit(frame, from, to);
        return seal(frame);
      }
      case "header":
        return seal(this.#reshape(this.sound(position)));
      default:
        return mutation satisfies never;
    }
  }

  /** A frame as an honest agent would send it. */
  sound(position: FramePosition): Buffer {
    const random = this.#random;
    switch (random.below(4)) {
      case 0:
        return encodeFrame({
          ...position,
          kind: "gap",
          count: random.below(3),
          cause: GAP_CAUSES[random.below(GAP_CAUSES.length)] ?? "deleted",
          timeUs: random.uint32(),
          range: random.below(2) === 0 ? "unknown" : { fromByte: 1, toByte: 1 + random.uint32() },
          detail: "x".repeat(random.below(100)),
        });
      case 1:
        return encodeFrame({
          ...position,
          kind: "advance",
          count: 0,
          filteredRecords: random.uint32(),
          filteredBytes: random.uint32(),
          final: false,
        });
      default:
        return this.#batch(position);
    }
  }

  #batch(position: FramePosition): Buffer {
    const random = this.#random;
    const isBomb = random.below(200) === 0;
    const some = this.#payloads[random.below(this.#payloads.length)];
    const packed = isBomb ? BOMB : (some?.packed ?? BOMB);
    const rawBytes = isBomb ? 1 + random.below(BOMB_BYTES) : (some?.raw ?? 1);
    const batch = { kind: "batch", minTimeUs: 0, maxTimeUs: LINES - 1, rawBytes } as const;
    const codec = random.below(20) === 0 ? random.below(256) : PAYLOAD_CODEC_ZSTD;
    return encodeFrame({ ...position, ...batch, count: LINES, codec, payload: packed });
  }

  /** Changes one to four places of a range of bytes, in place; always at least one. */
  #edit(frame: Buffer, from: number, to: number): void {
    const random = this.#random;
    for (let edits = 1 + random.below(4); edits > 0; edits--) {
      const at = Math.min(frame.length - 1, from + random.below(Math.max(1, to - from)));
      const edge = EDGES[random.below(EDGES.length)] ?? 0;
      if (random.below(3) === 0 && at + 4 <= Math.min(to, frame.length))
        frame.writeUInt32LE(edge, at);
      else frame[at] = (frame[at] ?? 0) ^ (1 << random.below(8));
    }
  }

  /** Anything at all: cut, lengthened, joined with itself, or with a field of its header at an edge. */
  #reshape(frame: Buffer): Buffer {
    const random = this.#random;
    switch (random.below(5)) {
      case 0:
        return frame.subarray(0, random.below(frame.length));
      case 1:
        return Buffer.concat([frame, randomBytes(random, 1 + random.below(64))]);
      case 2:
        return Buffer.concat([frame, frame.subarray(random.below(frame.length))]);
      case 3:
        frame.writeUInt16LE(random.below(0x1_0000), AT.cursorBytes);
        return frame;
      default:
        this.#edit(frame, AT.frameBytes, AT.headerEnd);
        return frame;
    }
  }
}

/** A megabyte of zeros: a few dozen bytes. */
const BOMB = compressPayloadSync(Buffer.alloc(BOMB_BYTES));

/** Bytes of a seeded generator: a run that failed can be run again. */
export function randomBytes(random: Prng, count: number): Buffer {
  const bytes = Buffer.allocUnsafe(count);
  for (let i = 0; i < count; i++) bytes[i] = random.below(256);
  return bytes;
}

function packedLines(random: Prng): { readonly raw: number; readonly packed: Buffer } {
  const builder = new BatchBuilder();
  for (let i = 0, at = 0; i < LINES; i++) {
    const line = Buffer.from(`line ${i} ${"ab ".repeat(random.below(30))}\n`);
    line.copy(builder.buffer, at);
    at += line.length;
    builder.add(at - 1, i, random.below(24));
  }
  const raw = builder.finish();
  return { raw: raw.length, packed: compressPayloadSync(raw) };
}

function seal(frame: Buffer): Buffer {
  if (frame.length >= AT.kind) frame.writeUInt32LE(crc32(frame.subarray(AT.frameBytes)), 0);
  return frame;
}
