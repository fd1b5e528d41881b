import type { FileHandle } from "node:fs/promises";

const LF = 0x0a;
const CHUNK_BYTES = 64 * 1024;
/** Of lines so long that more of them is of no use on a screen. */
const MOST_BYTES = 16 * 1024 * 1024;

/**
 * The last `count` lines of the first `size` bytes of a file; a last line without an end is one.
 *
 * @param lineFeedBytes 2 for UTF-16, whose other characters may look like a line feed here
 */
export async function readLastLines(
  file: FileHandle,
  size: number,
  count: number,
  lineFeedBytes: 1 | 2,
): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let from = count === 0 ? 0 : size;
  // The LF at the very end ends the last line; the one in front of the first is what is looked for.
  let missing = count + 1;
  while (from > 0 && size - from < MOST_BYTES) {
    const length = Math.min(CHUNK_BYTES, from);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, from - length);
    const chunk = buffer.subarray(0, bytesRead);
    if (from === size && chunk.lastIndexOf(LF) < length - lineFeedBytes) {
      missing -= 1;
    }
    for (
      let at = chunk.lastIndexOf(LF);
      at !== -1;
      at = at === 0 ? -1 : chunk.lastIndexOf(LF, at - 1)
    ) {
      missing -= 1;
      if (missing === 0) {
        chunks.push(chunk.subarray(at + 1));
        return Buffer.concat(chunks.reverse());
      }
    }
    chunks.push(chunk);
    from -= length;
  }
  return Buffer.concat(chunks.reverse());
}
