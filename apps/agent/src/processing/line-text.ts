import { isAscii, isUtf8 } from "node:buffer";

/**
 * A record's bytes as text that turns into the very same bytes again: UTF-8, or where they are not
 * UTF-8 one character for each byte.
 */
export interface LineText {
  readonly text: string;
  readonly encoding: "utf8" | "latin1";
}

export function toLineText(bytes: Uint8Array): LineText {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  // ASCII is the same in both, and by far the most of it; Latin-1 is the cheaper way there.
  return isAscii(buffer) || !isUtf8(buffer)
    ? { text: buffer.toString("latin1"), encoding: "latin1" }
    : { text: buffer.toString("utf8"), encoding: "utf8" };
}

/** A line as patterns see it: without the carriage return at its end. */
export function withoutReturn(text: string): string {
  return text.endsWith("\r") ? text.slice(0, -1) : text;
}
