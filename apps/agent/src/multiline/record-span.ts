import { LIMITS } from "@sluice/protocol";

import { toLineText, withoutReturn } from "../processing/line-text.ts";
import type { MultilineSettings } from "../processing/processing-settings.ts";
import type { LineRule } from "./line-rule.ts";
import { createLineRule } from "./rule-choice.ts";

/** The lines that are one record so far, while more may join them. */
export class RecordSpan {
  readonly #rule: LineRule;
  readonly #maxLines: number;
  readonly #maxBytes: number;
  #lines = 0;

  constructor({ rule, maxLines, maxBytes }: MultilineSettings) {
    this.#rule = createLineRule(rule);
    this.#maxLines = maxLines;
    this.#maxBytes = Math.min(maxBytes, LIMITS.recordBytes);
  }

  get isEmpty(): boolean {
    return this.#lines === 0;
  }

  /**
   * Takes in a line, without its line feed, with which the record would be of `recordBytes`.
   * False, and the line is to be `begin` of another, where it does not belong to the record or the
   * record would grow out of its bounds.
   */
  join(line: Uint8Array, recordBytes: number): boolean {
    // The rule hears of each line, so that it still knows where it is behind a bound.
    const continues = this.#rule.continues(withoutReturn(toLineText(line).text));
    if (!continues || this.isEmpty || !this.hasRoomFor(recordBytes)) {
      return false;
    }
    this.#lines += 1;
    return true;
  }

  /** A line that did not join is the first of the next record. */
  begin(): void {
    this.#lines = 1;
  }

  hasRoomFor(bytes: number): boolean {
    return this.#lines < this.#maxLines && bytes <= this.#maxBytes;
  }

  /** The record was given away. */
  clear(): void {
    this.#lines = 0;
  }

  /** The record was given away, and what follows has nothing to do with it. */
  reset(): void {
    this.#lines = 0;
    this.#rule.reset();
  }
}
