import type { RecordColumns } from "@sluice/protocol";
import {
  type Cell,
  type Column,
  createPipeline,
  type PartialState,
  type PipelineError,
  type PipelineRow,
  type RecordRef,
  type Stage,
  type StreamIdentity,
} from "@sluice/query";

import type { Match } from "./match-finder.ts";
import type { StoredRun } from "./run-catalog.ts";
import { SearchError } from "./search-error.ts";
import { TimeText } from "./time-text.ts";
import { PAGE_BYTES, PAGE_ROWS } from "./time-merge.ts";

/** Rows behind the last stage: records as they were stored, or rows of a table as NDJSON. */
export type StagedPage =
  | { readonly kind: "records"; readonly matches: readonly Match[] }
  | { readonly kind: "table"; readonly rows: number; readonly bytes: Uint8Array };

/** A record's stream, and what of its block a row shows: the pipeline hands it back with the record. */
interface PlacedStream extends StreamIdentity {
  readonly run: StoredRun;
  readonly seq: number;
  readonly receivedUs: number;
}

/** Matches that can change the answer: those that only a `limit` in front of any other stage cuts. */
export function matchesWanted(stages: readonly Stage[], limit: number): number {
  let wanted = Number.POSITIVE_INFINITY;
  for (const stage of stages) {
    switch (stage.kind) {
      case "fields":
        break;
      case "limit":
        wanted = Math.min(wanted, stage.count);
        break;
      case "stats":
      case "top":
      case "sort":
        return wanted;
      default:
        stage satisfies never;
    }
  }
  return Math.min(wanted, limit);
}

/** Whether the answer is the same in whichever order the matches come. */
export function takesAnyOrder([first]: readonly Stage[]): boolean {
  return first?.kind === "stats" || first?.kind === "top";
}

/**
 * Runs the stages of a query over its matches. What the stages hold is bounded by the pipeline, and
 * what they have let through leaves in pages.
 *
 * @param limit rows at most, behind the last stage
 * @throws SearchError where a stage would have to hold more than it may
 */
export function* runStages(
  pages: Iterable<readonly Match[]>,
  stages: readonly Stage[],
  limit: number,
): Generator<StagedPage> {
  let rows: PipelineRow[] = [];
  let left = limit;
  const pipeline = createPipeline(stages, {
    emit: (row) => {
      if (left > 0) {
        left -= 1;
        rows.push(row);
      }
    },
  });
  const flush = function* (): Generator<StagedPage> {
    const taken = rows;
    rows = [];
    yield* pipeline.columns === undefined
      ? recordPages(taken)
      : tablePages(taken, pipeline.columns);
  };
  const isTable = pipeline.columns !== undefined;
  let state: "more" | "done" | "failed" = "more";
  for (const page of pages) {
    for (const match of page) {
      const { run, columns, index } = match;
      const stream = isTable ? run.stream : place(match);
      state = pipeline.push(stream, columns, index);
      if (state !== "more" || left === 0) {
        break;
      }
    }
    yield* flush();
    if (state !== "more" || left === 0) {
      break;
    }
  }
  const finished = pipeline.finish();
  if (!finished.ok) {
    throw new SearchError("failed", describe(finished.error));
  }
  yield* flush();
}

/** Puts shares of grouped records together and runs the rest of the stages over the groups. */
export function* mergeGroups(
  states: readonly PartialState[],
  stages: readonly Stage[],
  limit: number,
): Generator<Extract<StagedPage, { kind: "table" }>> {
  const rows: PipelineRow[] = [];
  const pipeline = createPipeline(stages, {
    emit: (row) => {
      if (rows.length < limit) {
        rows.push(row);
      }
    },
  });
  for (const state of states) {
    pipeline.merge(state);
  }
  const finished = pipeline.finish();
  if (!finished.ok) {
    throw new SearchError("failed", describe(finished.error));
  }
  yield* tablePages(rows, pipeline.columns ?? []);
}

function describe({ message, hint }: PipelineError): string {
  return `${message}: ${hint}`;
}

function place(match: Match): PlacedStream {
  const { run, seq, receivedUs } = match;
  const { host, source, labels } = run.stream;
  return { host, source, labels, run, seq, receivedUs };
}

/** The record as a match, though it may lie in a copy of its own by now. */
function toMatch({ stream, columns, index }: RecordRef): Match {
  const { run, seq, receivedUs } = stream as PlacedStream;
  return { timeUs: columns.timesUs[index] ?? 0, seq, receivedUs, run, columns, index };
}

function* recordPages(rows: readonly PipelineRow[]): Generator<StagedPage> {
  let matches: Match[] = [];
  let bytes = 0;
  for (const row of rows) {
    if (row.kind === "record") {
      const match = toMatch(row.record);
      matches.push(match);
      bytes += bodyBytes(match.columns, match.index);
      if (matches.length >= PAGE_ROWS || bytes >= PAGE_BYTES) {
        yield { kind: "records", matches };
        matches = [];
        bytes = 0;
      }
    }
  }
  yield { kind: "records", matches };
}

function bodyBytes({ bodyOffsets }: RecordColumns, index: number): number {
  return (bodyOffsets[index + 1] ?? 0) - (bodyOffsets[index] ?? 0);
}

function* tablePages(
  rows: readonly PipelineRow[],
  columns: readonly Column[],
): Generator<Extract<StagedPage, { kind: "table" }>> {
  const keys = columns.map(({ name }) => `${JSON.stringify(name)}:`);
  const times = new TimeText();
  let text = "";
  let count = 0;
  for (const row of rows) {
    if (row.kind === "table") {
      const cells = row.cells.map((cell, i) => keys[i] + cellJson(cell, columns[i], times));
      text += `{${cells.join(",")}}\n`;
      count += 1;
      if (count === PAGE_ROWS || text.length >= PAGE_BYTES) {
        yield { kind: "table", rows: count, bytes: Buffer.from(text) };
        text = "";
        count = 0;
      }
    }
  }
  yield { kind: "table", rows: count, bytes: Buffer.from(text) };
}

/** A missing value is null; an integer that a JSON number would round is a text of its digits. */
function cellJson(cell: Cell, column: Column | undefined, times: TimeText): string {
  switch (typeof cell) {
    case "number":
      return column?.type === "time" ? `"${times.of(cell)}"` : JSON.stringify(cell);
    case "bigint":
      return `"${cell}"`;
    case "string":
      return JSON.stringify(cell);
    case "undefined":
      return "null";
    default:
      return cell satisfies never;
  }
}
