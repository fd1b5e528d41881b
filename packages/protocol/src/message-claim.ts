import { Buffer } from "node:buffer";
import { BATCH, COMMON_HEADER_BYTES, OFFSET } from "./frame-layout.ts";
import { LIMITS } from "./limits.ts";

/**
 * What the batches of a binary message claim to inflate to, in bytes: what the message takes of its
 * sender's credit. Reads headers only, unchecked, so that it is known before anything is decoded; a
 * frame counts as one batch at most, and a message that is not frames as what was read until then.
 */
export function claimedRawBytes(message: Uint8Array): number {
  const bytes = Buffer.from(message.buffer, message.byteOffset, message.length);
  let claimed = 0;
  let frames = 0;
  for (let at = 0; at + COMMON_HEADER_BYTES <= bytes.length; frames++) {
    const frameBytes = bytes.readUInt32LE(at + OFFSET.frameBytes);
    if (frameBytes < COMMON_HEADER_BYTES || frames === LIMITS.messageFrames) break;
    const isBatch = bytes[at + OFFSET.kind] === BATCH.kind;
    if (isBatch && at + BATCH.headerBytes <= bytes.length) {
      claimed += Math.min(bytes.readUInt32LE(at + BATCH.rawBytes), LIMITS.payloadRawBytes);
    }
    at += frameBytes;
  }
  return claimed;
}
