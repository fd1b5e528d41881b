/** Decodes UTF-8; each byte that is none becomes `\xNN`. */
export function decodeBytes(
  bytes: Uint8Array,
  mark: (escape: string) => string = identity,
): string {
  let text = "";
  let start = 0;
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  while (start < bytes.length) {
    const end = validUntil(bytes, start);
    text += decoder.decode(bytes.subarray(start, end));
    if (end < bytes.length) {
      text += mark(`\\x${(bytes[end] ?? 0).toString(16).padStart(2, "0")}`);
    }
    start = end + 1;
  }
  return text;
}

/** Where the first byte stands that is not part of well-formed UTF-8 (Unicode 16, table 3-7); the length if there is none. */
function validUntil(bytes: Uint8Array, from: number): number {
  let at = from;
  while (at < bytes.length) {
    const length = sequenceLength(bytes, at);
    if (length === 0) {
      return at;
    }
    at += length;
  }
  return at;
}

function sequenceLength(bytes: Uint8Array, at: number): number {
  const first = bytes[at] ?? 0;
  const second = bytes[at + 1] ?? 0;
  if (first < 0x80) {
    return 1;
  }
  if (first >= 0xc2 && first <= 0xdf) {
    return isTail(second) ? 2 : 0;
  }
  if (first >= 0xe0 && first <= 0xef) {
    const low = first === 0xe0 ? 0xa0 : 0x80;
    const high = first === 0xed ? 0x9f : 0xbf;
    return second >= low && second <= high && isTail(bytes[at + 2] ?? 0) ? 3 : 0;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    const low = first === 0xf0 ? 0x90 : 0x80;
    const high = first === 0xf4 ? 0x8f : 0xbf;
    const isWhole =
      second >= low && second <= high && isTail(bytes[at + 2] ?? 0) && isTail(bytes[at + 3] ?? 0);
    return isWhole ? 4 : 0;
  }
  return 0;
}

function isTail(byte: number): boolean {
  return byte >= 0x80 && byte <= 0xbf;
}

function identity(escape: string): string {
  return escape;
}
