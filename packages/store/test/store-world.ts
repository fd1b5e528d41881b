import { severityName, type TimeUs } from "@sluice/quantity";
import { compileFilter, parseQuery, type RecordFilter } from "@sluice/query";
import { type Cutoffs, type RetentionPolicy, retentionPolicySchema } from "@sluice/retention";
import { expect } from "vitest";

import { Lease } from "../src/manifest/lease.ts";
import { manifestVersion } from "../src/manifest/manifest.ts";
import type { SearchRequest } from "../src/search/search-request.ts";
import { BackupKeeper } from "./backup-keeper.ts";
import { toColumns } from "./block/runs.ts";
import { rowOf, streamOf, timeText } from "./expected-row.ts";
import type { TestRecord } from "./frames.ts";
import { type Interference, LogKeeper } from "./log-keeper.ts";
import { START_US, STREAMS } from "./log-lines.ts";
import { type PlainPolicy, POLICIES } from "./plain-policy.ts";
import { type LogStream, type ModelRecord, rowsOf, StoredLog } from "./stored-log.ts";

export type Selection = Pick<
  SearchRequest,
  "query" | "fromUs" | "untilUs" | "arrived" | "order" | "reverse"
>;

const FOREVER_MS = 1e15;

/** A question that is asked page by page while other things happen. */
interface Paging {
  readonly selection: Selection;
  readonly limit: number;
  /** What was to be seen when it began. */
  readonly expected: readonly ModelRecord[];
  readonly lease: Lease;
  /** How many of them were passed. */
  at: number;
  page: string | undefined;
}

/** What was hidden when a backup was made. */
interface Hidden {
  readonly policy: PlainPolicy;
  readonly cutoffs: Readonly<Record<string, number>>;
  readonly capped: ReadonlySet<string>;
}

interface IssuedDelete {
  readonly receivedUs: number;
  readonly takes: (record: ModelRecord) => boolean;
}

/** A store, and beside it a plain array of the same records with what became of each. */
export class StoreWorld implements Disposable {
  readonly log: StoredLog = new StoredLog();
  readonly keeper: LogKeeper = new LogKeeper(this.log);
  readonly #backups = new BackupKeeper<Hidden>(this.log);
  readonly #deletes: IssuedDelete[] = [];
  /** Ids of records. */
  readonly #deleted = new Set<string>();
  readonly #capped = new Set<string>();
  readonly #pagings: Paging[] = [];
  readonly #filters = new Map<string, RecordFilter>();
  readonly #columns = new WeakMap<ModelRecord, ReturnType<typeof toColumns>>();
  #policy: PlainPolicy = POLICIES[0] as PlainPolicy;
  #cutoffs: Record<string, number> = {};
  #receivedUs = 0;

  clear(): void {
    this.#endPagings();
    this.log.clear();
    this.#backups.clear();
    this.#deletes.length = 0;
    this.#deleted.clear();
    this.#capped.clear();
    this.#policy = POLICIES[0] as PlainPolicy;
    this.#cutoffs = {};
    this.#receivedUs = START_US;
    this.prune([0, 0, 0], undefined); // from here on a policy is in force
  }

  append(stream: number, records: readonly TestRecord[], stepUs: number): void {
    this.#receivedUs = this.log.head.receiptTime(this.#receivedUs + stepUs);
    this.log.append(STREAMS[stream] as LogStream, records, this.#receivedUs);
  }

  delete(query: string, fromUs?: number, untilUs?: number): void {
    const matches = this.#matcher(query);
    const takes = (record: ModelRecord): boolean =>
      record.timeUs >= (fromUs ?? -Infinity) &&
      record.timeUs < (untilUs ?? Infinity) &&
      matches(record);
    const receivedUs = this.keeper.delete({ query, fromUs, untilUs });
    this.#deletes.push({ receivedUs, takes });
    this.log.records.filter(takes).forEach(({ id }) => this.#deleted.add(id));
  }

  backUp(): void {
    const capped = new Set(this.#capped);
    this.#backups.make({ policy: this.#policy, cutoffs: { ...this.#cutoffs }, capped });
  }

  /** Goes back to a backup: what was stored since is gone, and what was deleted since as well. */
  async restore(pick: number): Promise<void> {
    const hidden = await this.#backups.restore(pick);
    if (hidden === undefined) {
      return;
    }
    this.#endPagings();
    this.#policy = hidden.policy;
    this.#cutoffs = { ...hidden.cutoffs };
    this.#capped.clear();
    hidden.capped.forEach((id) => this.#capped.add(id));
    this.#deleted.clear();
    for (const record of this.log.records) {
      if (this.#deletes.some((one) => record.receivedUs <= one.receivedUs && one.takes(record))) {
        this.#deleted.add(record.id);
      }
    }
    this.#receivedUs += 1; // it took its time
  }

  /** Changes the policy; whatever is hidden stays hidden. */
  setPolicy(index: number): void {
    const hiddenUs = Math.max(-1, ...Object.values(this.#cutoffs));
    this.#policy = POLICIES[index] as PlainPolicy;
    this.#cutoffs = { 0: hiddenUs, 1: hiddenUs, default: hiddenUs };
    this.prune([0, 0, 0], undefined);
    this.#endPagings();
  }

  /**
   * Raises the cutoffs, each to where a share of the receipt times is behind it, and drops whatever has
   * expired as a whole, or was picked: as a cap does. Returns parts of segments that have expired.
   */
  prune(percents: readonly number[], pick: number | undefined): Map<number, Set<number>> {
    const receipts = [...new Set(this.log.records.map(({ receivedUs }) => receivedUs))];
    ["0", "1", "default"].forEach((rule, i) => {
      const at = Math.floor(((percents[i] ?? 0) / 100) * receipts.length);
      this.#cutoffs[rule] = Math.max(this.#cutoffs[rule] ?? -1, receipts[at - 1] ?? -1);
    });
    const hidden = new Set(
      this.log.records.filter((record) => !this.#isVisible(record)).map(({ id }) => id),
    );
    const byBatch = Map.groupBy(this.log.records, ({ batchId }) => batchId);
    const batchIds = [...byBatch]
      .filter(([, records]) => records.every(({ id }) => hidden.has(id)))
      .map(([batch]) => batch);
    const { segments } = this.keeper;
    const held = new Map(segments.map((entry) => [entry.id, this.keeper.idsIn(entry)] as const));
    const expired = new Map(
      Array.from(held, ([segment, streams]) => [
        segment,
        new Set(
          [...streams].filter(([, ids]) => ids.every((id) => hidden.has(id))).map(([id]) => id),
        ),
      ]),
    );
    const isWhole = (segment: number): boolean =>
      expired.get(segment)?.size === held.get(segment)?.size;
    const segmentIds = segments.map(({ id }) => id).filter(isWhole);
    const capped = pick === undefined ? undefined : segments[pick % (segments.length || 1)];
    if (capped !== undefined && !isWhole(capped.id)) {
      segmentIds.push(capped.id);
      [...(held.get(capped.id)?.values() ?? [])].flat().forEach((id) => this.#capped.add(id));
    }
    this.keeper.prune({ visibility: this.#visibility(), batchIds, segmentIds });
    segmentIds.forEach((id) => expired.delete(id));
    return new Map([...expired].filter(([, streams]) => streams.size > 0));
  }

  async dropParts(parts: ReadonlyMap<number, ReadonlySet<number>>): Promise<void> {
    for (const [segment, streams] of parts) {
      await this.keeper.dropStreams(segment, streams);
    }
  }

  /** Merges the segments of one partition and day. */
  async merge(pick: number, interference?: Interference): Promise<void> {
    const groups = [
      ...Map.groupBy(this.keeper.segments, ({ partition, day }) => `${partition} ${day}`).values(),
    ];
    const group = groups[pick % (groups.length || 1)];
    if (group !== undefined) {
      await this.keeper.merge(
        group.map(({ id }) => id),
        interference,
      );
    }
  }

  crash(): void {
    this.keeper.start();
    this.#endPagings();
  }

  /** Asks a question in one go, and in pages of a size by their tokens and by the last row's id. */
  ask(selection: Selection, limit: number): void {
    const expected = this.#expected(selection);
    const { text, summary } = this.log.search(selection);
    expect(summary.damaged).toBe(0);
    expect(rowsOf(text)).toEqual(expected.map(rowOf));
    const ids = expected.map(({ id }) => id);
    expect(this.log.ids({ ...selection, limit })).toEqual(ids.slice(0, limit));
    for (const goOn of ["page", "afterId"] as const) {
      const got: string[] = [];
      let next: string | undefined;
      do {
        const answer = this.log.search({ ...selection, limit, [goOn]: next });
        const page = rowsOf<{ id: string }>(answer.text).map(({ id }) => id);
        got.push(...page);
        next = goOn === "page" ? answer.summary.nextPage : page.at(-1);
        expect(page.length).toBeLessThanOrEqual(limit);
        next = page.length < limit ? undefined : next;
      } while (next !== undefined);
      expect(got).toEqual(ids);
    }
  }

  /** Counts by what is known of whole runs. */
  count(selection: Selection): void {
    const expected = this.#expected(selection);
    const counts = (key: (record: ModelRecord) => string): Record<string, number> =>
      Object.fromEntries(
        Array.from(Map.groupBy(expected, key), ([name, group]) => [name, group.length]),
      );
    const answer = (stage: string): unknown[] =>
      rowsOf(this.log.search({ ...selection, query: `${selection.query} | stats ${stage}` }).text);
    expect(answer("count()")).toEqual([{ count: expected.length }]);
    for (const [field, key] of [
      ["host", (record: ModelRecord) => streamOf(record).host ?? ""],
      ["level", ({ severity }: ModelRecord) => severityName(severity)],
      ["source", ({ source }: ModelRecord) => source],
    ] as const) {
      const rows = answer(`count() by ${field}`) as Record<string, string | number>[];
      const got = Object.fromEntries(rows.map((row) => [String(row[field]), row["count"]]));
      expect(got).toEqual(counts(key));
    }
    const rows = answer("count() by host, 5m") as { time: string; host: string; count: number }[];
    const got = Object.fromEntries(rows.map((row) => [`${row.time} ${row.host}`, row.count]));
    const minutes = 300_000_000;
    expect(got).toEqual(
      counts(
        (record) =>
          `${timeText(Math.floor(record.timeUs / minutes) * minutes)} ${streamOf(record).host}`,
      ),
    );
  }

  beginPaging(selection: Selection, limit: number): void {
    const expected = this.#expected(selection);
    const lease = Lease.take(this.log.dataDir, manifestVersion(this.log.db), FOREVER_MS);
    const paging = { selection, limit, expected, lease, at: 0, page: undefined };
    if (this.#nextPage(paging)) {
      this.#pagings.push(paging);
    } else {
      lease[Symbol.dispose]();
    }
  }

  /** What a paging has yet to see is what it would have seen at its beginning, but for what was deleted since. */
  goOnPaging(): void {
    const paging = this.#pagings.shift();
    if (paging !== undefined) {
      if (this.#nextPage(paging)) {
        this.#pagings.push(paging);
      } else {
        paging.lease[Symbol.dispose]();
      }
    }
  }

  [Symbol.dispose](): void {
    this.#endPagings();
    this.#backups[Symbol.dispose]();
    this.log[Symbol.dispose]();
  }

  /** False where it has come to its end. */
  #nextPage(paging: Paging): boolean {
    const { selection, limit, expected } = paging;
    const left = expected.slice(paging.at).filter(({ id }) => !this.#deleted.has(id));
    const { text, summary } = this.log.search({ ...selection, limit, page: paging.page });
    expect(summary.damaged).toBe(0);
    expect(rowsOf(text)).toEqual(left.slice(0, limit).map(rowOf));
    const last = left[limit - 1];
    if (last === undefined) {
      return false;
    }
    paging.at = expected.indexOf(last) + 1;
    paging.page = summary.nextPage;
    expect(paging.page).toBeDefined();
    return true;
  }

  #endPagings(): void {
    this.#pagings.splice(0).forEach(({ lease }) => lease[Symbol.dispose]());
  }

  #expected(selection: Selection): ModelRecord[] {
    const { fromUs = -Infinity, untilUs = Infinity, arrived, order, reverse } = selection;
    const matches = this.#matcher(selection.query);
    const found = this.log.records
      .filter(
        (record) =>
          this.#isVisible(record) &&
          record.timeUs >= fromUs &&
          record.timeUs < untilUs &&
          (arrived === undefined ||
            (record.batchId > arrived.after && record.batchId <= arrived.upTo)) &&
          matches(record),
      )
      .toSorted(ORDERS[order]);
    return reverse ? found.toReversed() : found;
  }

  #isVisible(record: ModelRecord): boolean {
    const cutoff = this.#cutoffs[this.#policy.ruleOf(record, streamOf(record))];
    return (
      record.receivedUs >= (cutoff ?? -Infinity) &&
      !this.#deleted.has(record.id) &&
      !this.#capped.has(record.id)
    );
  }

  /** The meaning of a filter, record by record. */
  #matcher(query: string): (record: ModelRecord) => boolean {
    let filter = this.#filters.get(query);
    if (filter === undefined) {
      const parsed = parseQuery(query);
      if (!parsed.ok) {
        throw new Error(`${query}: ${parsed.error.message}`);
      }
      filter = compileFilter(parsed.value.filter);
      this.#filters.set(query, filter);
    }
    const { matches } = filter;
    return (record) => matches(streamOf(record), this.#columnsOf(record), 0);
  }

  #columnsOf(record: ModelRecord): ReturnType<typeof toColumns> {
    let columns = this.#columns.get(record);
    if (columns === undefined) {
      const { timeUs: us, severity, body, attributes } = record;
      columns = toColumns([
        { timeUs: us, severity, body: Buffer.from(body as string), attributes },
      ]);
      this.#columns.set(record, columns);
    }
    return columns;
  }

  #visibility(): { policy: RetentionPolicy; cutoffs: Cutoffs } {
    const cutoffs = Object.entries(this.#cutoffs).map(([rule, us]) => [rule, us as TimeUs]);
    return {
      policy: retentionPolicySchema.parse(this.#policy.input),
      cutoffs: Object.fromEntries(cutoffs) as Cutoffs,
    };
  }
}

const ORDERS: Readonly<Record<SearchRequest["order"], (a: ModelRecord, b: ModelRecord) => number>> =
  {
    time: (a, b) => a.timeUs - b.timeUs || a.streamId - b.streamId || a.seq - b.seq,
    stream: (a, b) =>
      compareText(a.agentId, b.agentId) ||
      compareText(a.source, b.source) ||
      a.generation - b.generation ||
      a.seq - b.seq,
  };

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
