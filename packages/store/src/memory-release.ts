import { Buffer } from "node:buffer";

/**
 * Gives the memory behind bytes back at once, which nobody may use from now on: every view of it is empty, and
 * most of what can be done with it throws. Left to the garbage collector, buffers of a megabyte make V8 mark the
 * whole heap for every 10 to 30 MiB of them, on as many threads as there are, and keep as much until then
 * (docs/decisions/0015-buffers-are-given-back.md). Small ones are left alone: Node cuts them out of its pool.
 */
export function releaseMemory({ buffer }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength > Buffer.poolSize) {
    buffer.transfer(0);
  }
}
