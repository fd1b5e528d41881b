import { parseLevel } from "@sluice/quantity";

import { fieldSeverity, letterSeverity } from "../stamp/severity.ts";

/** Texts are remembered up to here: a field of levels has a handful, a field of anything else none. */
const MOST_REMEMBERED = 64;
const LONGEST_LEVEL = 32;

/** Severity numbers of the texts of a level field: the source's own first, then the usual ones. */
export class LevelReader {
  readonly #map: ReadonlyMap<string, number>;
  readonly #known = new Map<string, number>();

  constructor(map: Readonly<Record<string, number>>) {
    this.#map = new Map(Object.entries(map));
  }

  /** 0 where the text names no level. */
  read(text: string): number {
    const known = this.#known.get(text);
    if (known !== undefined) {
      return known;
    }
    const severity = this.#map.get(text) ?? usualSeverity(text);
    if (this.#known.size < MOST_REMEMBERED && text.length <= LONGEST_LEVEL) {
      this.#known.set(text, severity);
    }
    return severity;
  }
}

function usualSeverity(text: string): number {
  if (text.length > LONGEST_LEVEL) {
    return 0;
  }
  const bytes = Buffer.from(text);
  const severity = fieldSeverity(bytes, 0, bytes.length);
  if (severity !== 0) {
    return severity;
  }
  const level = parseLevel(text);
  if (level.ok) {
    return level.value.min;
  }
  return text.length === 1 ? letterSeverity(bytes[0] ?? 0) : 0;
}
