import { type BatchBuilder, LIMITS, MAX_TIME_US, ORIGINAL_BYTES_ATTRIBUTE } from "@sluice/protocol";

import type { Stamper } from "./stamp/stamper.ts";

const LF = 0x0a;

/** What framing made of the bytes at hand. */
export interface Framing {
  /** End of the bytes still in the buffer: the complete records and the beginning of the next. */
  readonly filled: number;
  /** Bytes of an over-long line that were dropped from the buffer. */
  readonly cutBytes: number;
  /** The batch has no room for the next complete line. */
  readonly isFull: boolean;
}

/**
 * Splits lines where they lie: a read puts bytes into the builder's buffer, and the framer adds
 * each complete line of them as a record, without a copy. Only LF ends a line and is stripped; CR
 * is content.
 *
 * A line longer than `LIMITS.recordBytes` keeps that many bytes and carries its full length in an
 * attribute; the rest of it is dropped as it arrives, so that a line of any size needs no more
 * memory than that.
 */
export class LineFramer {
  readonly #stamper: Stamper;
  /** Bytes cut so far from the line at hand. */
  #cutOfLine = 0;

  constructor(stamper: Stamper) {
    this.#stamper = stamper;
  }

  /**
   * Adds the lines that end within `[scanFrom, filled)`.
   *
   * @param scanFrom where the search for a line's end begins: what lies between the builder's last
   *   record and this was searched before
   */
  frame(builder: BatchBuilder, scanFrom: number, filled: number, readAtUs: number): Framing {
    const { buffer } = builder;
    const stamper = this.#stamper;
    let end = filled;
    let view = buffer.subarray(0, end);
    let cutBytes = 0;
    let at = scanFrom;
    for (;;) {
      const start = builder.bodiesBytes;
      let lf = view.indexOf(LF, at);
      const lineEnd = lf === -1 ? end : lf;
      const keepEnd = start + LIMITS.recordBytes;
      if (lineEnd > keepEnd) {
        const cut = lineEnd - keepEnd;
        this.#cutOfLine += cut;
        cutBytes += cut;
        buffer.copyWithin(keepEnd, lineEnd, end);
        end -= cut;
        view = buffer.subarray(0, end);
        lf = lf === -1 ? -1 : keepEnd;
      }
      if (lf === -1) {
        return { filled: end, cutBytes, isFull: false };
      }
      stamper.stamp(buffer, start, lf, readAtUs);
      // A line may claim any year; one that no batch can hold is no better than none.
      const timeUs = Math.abs(stamper.timeUs) <= MAX_TIME_US ? stamper.timeUs : readAtUs;
      const added =
        this.#cutOfLine === 0
          ? builder.add(lf, timeUs, stamper.severity)
          : builder.add(lf, timeUs, stamper.severity, {
              [ORIGINAL_BYTES_ATTRIBUTE]: String(lf - start + this.#cutOfLine),
            });
      if (!added) {
        return { filled: end, cutBytes, isFull: true };
      }
      this.#cutOfLine = 0;
      at = lf + 1;
    }
  }

  /** Bytes dropped so far from the line that has not ended: they lie in front of no record yet. */
  get pendingCutBytes(): number {
    return this.#cutOfLine;
  }

  /** The stream is read from another place: a line that was being cut is not the next one. */
  reset(): void {
    this.#cutOfLine = 0;
  }
}
