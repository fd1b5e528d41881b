import type { SourceRecord } from "../record-feed.ts";
import type { Stamper } from "../stamp/stamper.ts";
import { createFields, createParser, type FieldParser } from "./field-parser.ts";
import { LevelReader } from "./level-reader.ts";
import type { ParseSettings, SeveritySettings } from "./processing-settings.ts";
import type { RecordFields } from "./record-fields.ts";

/** Longer than any form of a time. */
const LONGEST_TIME = 64;

/** What a record says of itself. */
export interface RecordEvent {
  readonly timeUs: number;
  /** Whether the time is the record's own, not that of its reading. */
  readonly isTimed: boolean;
  readonly readAtUs: number;
  readonly severity: number;
  /** Valid until the next record is read. */
  readonly fields: RecordFields | undefined;
  readonly isUnparsed: boolean;
}

/**
 * Reads time, severity and fields off records. What a parsed field says goes before what the source
 * knows, and that before what the line looks like.
 */
export class RecordReader {
  readonly #stamper: Stamper;
  readonly #parse: FieldParser | undefined;
  readonly #fields: RecordFields | undefined;
  readonly #levels: LevelReader;
  readonly #defaultSeverity: number;
  /** A field of levels is named: of a record that was parsed, no other text tells its severity. */
  readonly #hasLevelField: boolean;
  readonly #timeText = Buffer.alloc(LONGEST_TIME);

  constructor(
    stamper: Stamper,
    parse: ParseSettings | undefined,
    severity: SeveritySettings | undefined,
  ) {
    this.#stamper = stamper;
    this.#parse = parse && createParser(parse.format);
    this.#fields = parse && createFields(parse, severity?.field);
    this.#levels = new LevelReader(severity?.map ?? {});
    this.#defaultSeverity = severity?.default ?? 0;
    this.#hasLevelField = severity?.field !== undefined;
  }

  /** `text` is the body's, where there is a parser. */
  read(record: SourceRecord, text: string | undefined, readAtUs: number): RecordEvent {
    const fields = this.#fields;
    if (fields === undefined || this.#parse === undefined || text === undefined) {
      return this.#stamp(record, undefined, undefined, 0, readAtUs, false);
    }
    fields.clear();
    if (!this.#parse(text, fields)) {
      fields.clear();
      return this.#stamp(record, undefined, undefined, 0, readAtUs, true);
    }
    const timeUs = fields.time === undefined ? undefined : this.#readTime(fields.time, readAtUs);
    const severity = fields.level === undefined ? 0 : this.#levels.read(fields.level);
    return this.#stamp(record, fields, timeUs, severity, readAtUs, false);
  }

  /** Where reading a record by its rules has failed. */
  withoutFields(record: SourceRecord, readAtUs: number): RecordEvent {
    return this.#stamp(record, undefined, undefined, 0, readAtUs, false);
  }

  #stamp(
    record: SourceRecord,
    fields: RecordFields | undefined,
    fieldTimeUs: number | undefined,
    fieldSeverity: number,
    readAtUs: number,
    isUnparsed: boolean,
  ): RecordEvent {
    let timeUs = fieldTimeUs ?? record.timeUs;
    let severity = fieldSeverity === 0 ? record.severity : fieldSeverity;
    let isTimed = timeUs !== undefined;
    // What the source knows apart from the body is not looked for in it.
    if (timeUs === undefined || (severity === undefined && record.timeUs === undefined)) {
      const stamper = this.#stamper;
      stamper.stamp(record.body, 0, record.body.length, readAtUs);
      isTimed ||= stamper.timed;
      timeUs ??= stamper.timeUs;
      severity ??= fields !== undefined && this.#hasLevelField ? 0 : stamper.severity;
    }
    const known = severity ?? 0;
    return {
      timeUs,
      isTimed,
      readAtUs,
      severity: known === 0 ? this.#defaultSeverity : known,
      fields,
      isUnparsed,
    };
  }

  /** Undefined where the text is no time. */
  #readTime(text: string, readAtUs: number): number | undefined {
    if (text.length > LONGEST_TIME) {
      return undefined;
    }
    const stamper = this.#stamper;
    const length = this.#timeText.write(text, "latin1");
    return stamper.stampTime(this.#timeText, 0, length, readAtUs) ? stamper.timeUs : undefined;
  }
}
