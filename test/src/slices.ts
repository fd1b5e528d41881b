import type { Prng } from "./corpus/prng.ts";

/** A piece of one file, to be appended to it. */
export interface Slice {
  readonly name: string;
  readonly bytes: Buffer;
}

/**
 * Cuts files at arbitrary bytes and interleaves their pieces: each file's are in order, the files
 * take turns by chance. Most pieces are small, so that lines lie half written for a while.
 */
export function* slices(
  files: ReadonlyMap<string, Buffer>,
  random: Prng,
  maxSliceBytes: number,
): Generator<Slice> {
  const left = [...files].filter(([, bytes]) => bytes.length > 0);
  while (left.length > 0) {
    const index = random.below(left.length);
    const [name, bytes] = left[index] as [string, Buffer];
    const size = 1 + random.skewed(Math.min(bytes.length, maxSliceBytes));
    yield { name, bytes: bytes.subarray(0, size) };
    if (size === bytes.length) left.splice(index, 1);
    else left[index] = [name, bytes.subarray(size)];
  }
}
