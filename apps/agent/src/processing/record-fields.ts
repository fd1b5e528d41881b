import { LIMITS } from "@sluice/protocol";

const TIME_FIELDS = ["time", "timestamp", "@timestamp", "ts"];
const LEVEL_FIELDS = ["level", "severity", "lvl"];
/** Names that the agent keeps for its own marks. */
export const OWN_PREFIX = "sluice.";

export interface FieldRoles {
  /** The field that holds the event time; undefined for the usual names. */
  readonly time: string | undefined;
  /** The field that holds the level; undefined for the usual names. */
  readonly level: string | undefined;
  /** Which fields become attributes; undefined for all but time, level and `body`. */
  readonly chosen: readonly string[] | undefined;
  /** Fields that only repeat the body, and become attributes where they are chosen. */
  readonly body: readonly string[];
}

/** What a parser finds in one record: its time, its level, and what else is to become attributes. */
export class RecordFields {
  /** As it is written; undefined where there is none. */
  time: string | undefined;
  level: string | undefined;
  /** Fields beyond what a record may have. */
  dropped = 0;
  readonly names: string[] = [];
  readonly values: string[] = [];
  readonly #time: ReadonlySet<string>;
  readonly #level: ReadonlySet<string>;
  readonly #chosen: ReadonlySet<string> | undefined;
  readonly #body: ReadonlySet<string>;

  constructor({ time, level, chosen, body }: FieldRoles) {
    this.#time = new Set(time === undefined ? TIME_FIELDS : [time]);
    this.#level = new Set(level === undefined ? LEVEL_FIELDS : [level]);
    this.#chosen = chosen === undefined ? undefined : new Set(chosen);
    this.#body = new Set(body);
  }

  clear(): void {
    this.time = undefined;
    this.level = undefined;
    this.dropped = 0;
    this.names.length = 0;
    this.values.length = 0;
  }

  /** The first field of a role has it; so has the first of a name. */
  add(name: string, value: string): void {
    const chosen = this.#chosen?.has(name) === true;
    if (this.time === undefined && this.#time.has(name)) {
      this.time = value;
      if (!chosen) return;
    } else if (this.level === undefined && this.#level.has(name)) {
      this.level = value;
      if (!chosen) return;
    }
    if (this.#chosen === undefined ? this.#body.has(name) : !chosen) {
      return;
    }
    if (
      name === "" ||
      name.startsWith(OWN_PREFIX) ||
      this.names.length === LIMITS.recordAttributes
    ) {
      this.dropped += 1;
      return;
    }
    this.names.push(name);
    this.values.push(value);
  }
}
