import { createHash } from "node:crypto";
import { parseQuery, compileFilter, type RecordFilter, type StreamIdentity } from "@sluice/query";
import {
  compileRules,
  type Cutoffs,
  cutoffTable,
  type RetentionPolicy,
  type StreamNames,
} from "@sluice/retention/rules";
import type { RecordColumns } from "@sluice/protocol";

import type { HeadDatabase } from "../head/head-file.ts";

/** What of the stored records queries may see: the policy, and per rule the receipt time it keeps from. */
export interface RetentionCutoffs {
  readonly policy: RetentionPolicy;
  readonly cutoffs: Cutoffs;
}

const SEVERITIES = 25;

/** What retention hides, as of one moment. Without a policy in force nothing is hidden. */
export class Visibility {
  readonly text: string | undefined;
  readonly #cutoffs: RetentionCutoffs | undefined;
  readonly #rules;

  /** @param text JSON of RetentionCutoffs, as it stands in the head */
  constructor(text: string | undefined) {
    this.text = text;
    this.#cutoffs = text === undefined ? undefined : (JSON.parse(text) as RetentionCutoffs);
    this.#rules = this.#cutoffs === undefined ? undefined : compileRules(this.#cutoffs.policy);
  }

  static read(db: HeadDatabase): Visibility {
    const text: unknown = db
      .prepare("SELECT value FROM meta WHERE key = 'visibility'")
      .pluck()
      .get();
    return new Visibility(typeof text === "string" ? text : undefined);
  }

  /** By severity: the receipt time from which a stream's records are visible. */
  visibleFromUs(stream: StreamNames): Float64Array {
    return this.#rules === undefined || this.#cutoffs === undefined
      ? new Float64Array(SEVERITIES).fill(Number.NEGATIVE_INFINITY)
      : cutoffTable(this.#rules.rulesFor(stream), this.#cutoffs.cutoffs);
  }

  /** By severity: the partition that a stream's records belong to. Records that expire together lie together. */
  partitions(stream: StreamNames): readonly string[] {
    return this.#rules === undefined
      ? Array.from({ length: SEVERITIES }, () => "default")
      : this.#rules
          .rulesFor(stream)
          .map((rule) =>
            rule === "default" ? rule : partitionName(this.#cutoffs?.policy.rules[rule]?.match),
          );
  }
}

/** The same for the same rule wherever it stands in the policy. */
function partitionName(match: unknown): string {
  return `rule-${createHash("sha256").update(JSON.stringify(match)).digest("hex").slice(0, 12)}`;
}

/** Records that a delete has hidden and that are still in the files. */
export interface ActiveDelete {
  readonly id: number;
  /** As it was given. */
  readonly query: string;
  readonly filter: RecordFilter;
  readonly fromUs: number;
  readonly untilUs: number;
  /** Only what was received up to then. */
  readonly receivedUs: number;
  readonly issuedUs: number;
  /** Made by a restore, for what agents send again: segments hold nothing of it. */
  readonly isReplay: boolean;
}

interface DeleteRow {
  readonly id: number;
  readonly query: string;
  readonly from_us: number | null;
  readonly until_us: number | null;
  readonly received_us: number;
  readonly issued_us: number;
  readonly is_replay: number;
}

/**
 * The deletes that a reader of a version has to apply: those whose records that version still holds. A
 * delete counts at once, also for who reads an older version.
 */
export function activeDeletes(db: HeadDatabase, version: number): ActiveDelete[] {
  const rows = db
    .prepare(
      `SELECT id, query, from_us, until_us, received_us, issued_us, is_replay FROM deletes
       WHERE done_version IS NULL OR done_version > ? ORDER BY id`,
    )
    .all(version) as DeleteRow[];
  return rows.map((row) => {
    const query = parseQuery(row.query);
    if (!query.ok) {
      throw new Error(`delete ${row.id} holds a query that cannot be read: ${query.error.message}`);
    }
    return {
      id: row.id,
      query: row.query,
      filter: compileFilter(query.value.filter),
      fromUs: row.from_us ?? Number.NEGATIVE_INFINITY,
      untilUs: row.until_us ?? Number.POSITIVE_INFINITY,
      receivedUs: row.received_us,
      issuedUs: row.issued_us,
      isReplay: row.is_replay !== 0,
    };
  });
}

/** Whether a delete hides a record. */
export function isDeleted(
  deletes: readonly ActiveDelete[],
  stream: StreamIdentity,
  columns: RecordColumns,
  index: number,
  receivedUs: number,
): boolean {
  const timeUs = columns.timesUs[index] ?? 0;
  return deletes.some(
    (one) =>
      receivedUs <= one.receivedUs &&
      timeUs >= one.fromUs &&
      timeUs < one.untilUs &&
      one.filter.matches(stream, columns, index),
  );
}
