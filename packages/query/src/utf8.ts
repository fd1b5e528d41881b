// Hot loops over typed arrays: an index is in range by the loop's own bounds.
/* oxlint-disable typescript/no-non-null-assertion */

const REPLACEMENT = 0xfffd;
/** Code units gathered before they become a text: `String.fromCharCode` takes them as arguments. */
const CHUNK = 4096;

/**
 * Decodes the bytes from `start` to before `end` as UTF-8, each invalid byte as one U+FFFD of its own. (The platform's
 * decoders make one of several: WHATWG Encoding replaces maximal subparts.) A byte order mark stays.
 */
export function decodeUtf8(bytes: Uint8Array, start: number, end: number): string {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString("utf8");
  // Without a replacement nothing was invalid; with one it may also have stood in the text.
  return text.includes("\ufffd") ? decodeExactly(bytes, start, end) : text;
}

function decodeExactly(bytes: Uint8Array, start: number, end: number): string {
  let text = "";
  let units: number[] = [];
  for (let at = start; at < end;) {
    const length = sequenceLength(bytes, at, end);
    if (length <= 1) {
      units.push(length === 1 ? bytes[at]! : REPLACEMENT);
      at++;
    } else {
      let code = bytes[at]! & (0x7f >> length);
      for (let i = 1; i < length; i++) {
        code = (code << 6) | (bytes[at + i]! & 0x3f);
      }
      if (code > 0xffff) {
        units.push(0xd800 + ((code - 0x10000) >> 10), 0xdc00 + ((code - 0x10000) & 0x3ff));
      } else {
        units.push(code);
      }
      at += length;
    }
    if (units.length >= CHUNK) {
      text += String.fromCharCode(...units);
      units = [];
    }
  }
  return text + String.fromCharCode(...units);
}

/** Bytes of the well-formed sequence at a place, or 0. Source: Unicode 16, table 3-7. */
function sequenceLength(bytes: Uint8Array, at: number, end: number): number {
  const first = bytes[at]!;
  if (first < 0x80) {
    return 1;
  }
  const length = first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
  if (length === 0 || at + length > end) {
    return 0;
  }
  const second = bytes[at + 1]!;
  // The second byte's range keeps out overlong forms, surrogates and what lies beyond U+10FFFF.
  const least = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
  const most = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
  if (second < least || second > most) {
    return 0;
  }
  for (let i = 2; i < length; i++) {
    if ((bytes[at + i]! & 0xc0) !== 0x80) {
      return 0;
    }
  }
  return length;
}
