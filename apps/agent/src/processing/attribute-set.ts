import { LIMITS } from "@sluice/protocol";

/** How many attributes a record lacks because it has too many, or too large ones. */
const DROPPED_ATTRIBUTE = "sluice.dropped_attributes";
/** What went wrong where a record is shipped though its rules could not be carried out. */
const ERROR_ATTRIBUTE = "sluice.processing_error";

/** Room for the marks: the two above, and the length of a body that was cut. */
const MOST_ATTRIBUTES = LIMITS.recordAttributes - 3;
const MOST_BYTES = LIMITS.recordAttributesBytes - 1024;
/** Of an error's message. */
const MOST_MESSAGE = 200;

/** A record's attributes, within what a record may have. A name that is taken keeps its value. */
export class AttributeSet {
  // Without a prototype any name is data.
  readonly #attributes = Object.create(null) as Record<string, string>;
  #count = 0;
  #bytes = 0;
  dropped = 0;

  add(name: string, value: string): void {
    if (name in this.#attributes) {
      return;
    }
    // An escape in JSON may write half a character, which no UTF-8 can.
    const key = name.isWellFormed() ? name : name.toWellFormed();
    const text = value.isWellFormed() ? value : value.toWellFormed();
    // Each length takes at most three bytes.
    const bytes = Buffer.byteLength(key) + Buffer.byteLength(text) + 6;
    if (this.#count >= MOST_ATTRIBUTES || this.#bytes + bytes > MOST_BYTES) {
      this.dropped += 1;
      return;
    }
    this.#attributes[key] = text;
    this.#count += 1;
    this.#bytes += bytes;
  }

  fail(error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    this.#attributes[ERROR_ATTRIBUTE] = message.slice(0, MOST_MESSAGE).toWellFormed();
    this.#count += 1;
  }

  /** Undefined where there are none. */
  finish(droppedBefore: number): Readonly<Record<string, string>> | undefined {
    const dropped = this.dropped + droppedBefore;
    if (dropped > 0) {
      this.#attributes[DROPPED_ATTRIBUTE] = String(dropped);
    } else if (this.#count === 0) {
      return undefined;
    }
    return this.#attributes;
  }
}
