import { EXIT, Failure } from "@sluice/service";
import {
  isTimeUs,
  parseDuration,
  parseSize,
  parseTimeExpression,
  type TimeUs,
  timeUs,
  type Zone,
} from "@sluice/quantity";
import { parseQuery, type Query, type QueryError, renderQueryError } from "@sluice/query";
import type { SearchRequest } from "@sluice/store";

import type { Format } from "../output/printer.ts";
import { RECORD_KEYS } from "../output/row.ts";

/** What the flags of `query` and `tail` say about what to find and how to print it. */
export interface QueryOptions {
  readonly since?: string | undefined;
  readonly until?: string | undefined;
  readonly utc?: boolean | undefined;
  readonly lines?: string | undefined;
  readonly all?: boolean | undefined;
  readonly order?: "time" | "stream" | undefined;
  readonly reverse?: boolean | undefined;
  readonly output?: Format | undefined;
  readonly fields?: string | undefined;
  readonly count?: boolean | undefined;
  readonly timeout?: string | undefined;
  readonly maxRead?: string | undefined;
}

/** A query that is ready to run, and how its rows become output. */
export interface QueryPlan {
  readonly query: Query;
  readonly request: SearchRequest;
  /** The newest come first, and are printed oldest first: all of them have to be held. */
  readonly isTurned: boolean;
  /** Rows that are printed at most, where that is not the search's own limit. */
  readonly printed: number | undefined;
  readonly zone: Zone;
  readonly format: Format;
  readonly fields: readonly string[] | undefined;
  /** Rows are a stage's, not records. */
  readonly isTable: boolean;
}

export interface PlanOptions {
  readonly isTerminal: boolean;
  readonly nowUs: number;
  /** Newest rows on a terminal where nobody said how many. */
  readonly defaultLines: number | undefined;
}

const DEFAULT_TIMEOUT = "10m";

/**
 * Puts a query and its flags together. `-n N` finds the newest N by searching backwards, which ends
 * early, and turns them round for printing. Stages that look at all rows see them in their order.
 *
 * @throws Failure with exit code 2 that points at what is wrong
 */
export function planQuery(
  filter: string,
  options: QueryOptions,
  environment: PlanOptions,
): QueryPlan {
  const zone: Zone = options.utc === true ? "utc" : "local";
  const { text, fields } = withColumns(filter, options);
  const query = readQuery(text);
  const isTable = query.stages.some(({ kind }) => kind !== "limit" && kind !== "sort");
  const isRowByRow = query.stages.every(({ kind }) => kind === "fields");
  const format = options.output ?? "pretty";
  if (format === "raw" && (isTable || fields !== undefined) && options.count !== true) {
    throw usage(
      "-o raw prints bodies, and these rows have none",
      "take -o csv or -o jsonl for columns",
    );
  }
  const lines = readLines(options, environment);
  const limit = isRowByRow && options.count !== true ? lines : undefined;
  const isReversed = options.reverse === true;
  const isTurned = limit !== undefined && !isReversed;
  const rendersBodies =
    format === "raw" && !environment.isTerminal && !isTurned && options.count !== true;
  return {
    query,
    isTurned,
    printed: isRowByRow || options.lines === undefined ? undefined : lines,
    zone,
    format,
    fields,
    isTable,
    request: {
      query: options.count === true ? countText(text, lines, options) : text,
      ...readRange(options, environment.nowUs, zone),
      order: options.order ?? "time",
      reverse: isReversed || isTurned,
      limit,
      isLast: true,
      ...(rendersBodies && { render: "bodies" }),
      deadlineMs: readTimeout(options.timeout ?? DEFAULT_TIMEOUT),
      ...(options.maxRead !== undefined && { maxReadBytes: readMaxRead(options.maxRead) }),
    },
  };
}

/** @throws Failure that shows the query with a caret under the place */
function readQuery(text: string): Query {
  const query = parseQuery(text);
  if (!query.ok) {
    throw queryFailure(text, query.error);
  }
  return query.value;
}

export function queryFailure(text: string, error: QueryError): Failure {
  const { hint, ...rest } = error;
  const shown = renderQueryError(text, rest).replaceAll("\n", "\n  ");
  return new Failure(
    `the query cannot be read\n\n  ${shown}`,
    hint ?? "docs/query-language.md shows what can be asked",
    EXIT.usage,
  );
}

/** @throws Failure where it cannot be read, or has stages */
export function readFilter(text: string): Query["filter"] {
  const { filter, stages } = readQuery(text);
  if (stages.length > 0) {
    throw usage(
      "a filter is wanted here, and this query has a stage",
      "leave out what is behind |",
    );
  }
  return filter;
}

/** The keys of a record are picked here; anything else is a field that only a stage can look up. */
function withColumns(
  filter: string,
  { fields: list }: QueryOptions,
): { readonly text: string; readonly fields: readonly string[] | undefined } {
  if (list === undefined) {
    return { text: filter, fields: undefined };
  }
  const fields = list.split(",").map((name) => name.trim());
  if (fields.includes("")) {
    throw usage("--fields needs names with commas between them", "write --fields time,host,body");
  }
  const hasStages = readQuery(filter).stages.length > 0;
  if (!hasStages && fields.every((name) => RECORD_KEYS.includes(name))) {
    return { text: filter, fields };
  }
  const ofRecord = fields.find((name) => ["received", "id", "seq", "attributes"].includes(name));
  if (!hasStages && ofRecord !== undefined) {
    throw usage(
      `--fields: ${ofRecord} cannot stand beside fields of attributes and bodies`,
      "ask for it by itself, or take -o jsonl",
    );
  }
  return { text: `${filter.trim() === "" ? "*" : filter} | fields ${fields.join(", ")}`, fields };
}

function countText(
  text: string,
  lines: number | undefined,
  { lines: given }: QueryOptions,
): string {
  const limited = given === undefined || lines === undefined ? "" : ` | limit ${lines}`;
  return `${text.trim() === "" ? "*" : text}${limited} | stats count()`;
}

function readLines(
  { lines, all }: QueryOptions,
  { isTerminal, defaultLines }: PlanOptions,
): number | undefined {
  if (lines !== undefined) {
    const count = Number(lines);
    if (!/^\d{1,9}$/.test(lines)) {
      throw usage(`-n: expected a whole number, not ${lines}`, "write -n 100, or --all");
    }
    return count;
  }
  return all === true || !isTerminal ? undefined : defaultLines;
}

/** @throws Failure where they are not times, or not in their order */
export function readRange(
  { since, until }: Pick<QueryOptions, "since" | "until">,
  nowUs: number,
  zone: Zone,
): Pick<SearchRequest, "fromUs" | "untilUs"> {
  const read = (flag: string, text: string | undefined): TimeUs | undefined => {
    if (text === undefined) {
      return undefined;
    }
    const time = parseTimeExpression(text, { nowUs: timeUs(nowUs), zone });
    if (!time.ok) {
      throw usage(
        `${flag} ${text}: ${time.error}`,
        "times without an offset are local; --utc changes that",
      );
    }
    return time.value;
  };
  const fromUs = read("--since", since);
  const untilUs = read("--until", until);
  if (fromUs !== undefined && untilUs !== undefined && fromUs >= untilUs) {
    throw usage("--since is not before --until", "exchange them: no moment lies between");
  }
  return {
    ...(fromUs !== undefined && { fromUs }),
    ...(untilUs !== undefined && { untilUs }),
  };
}

function readTimeout(text: string): number {
  const timeout = parseDuration(text);
  if (!timeout.ok || timeout.value === 0 || !isTimeUs(timeout.value * 1000)) {
    throw usage(
      `--timeout ${text}: ${timeout.ok ? "expected more" : timeout.error}`,
      "write --timeout 10m",
    );
  }
  return timeout.value;
}

function readMaxRead(text: string): number {
  const size = parseSize(text);
  if (!size.ok || size.value === 0) {
    throw usage(
      `--max-read ${text}: ${size.ok ? "expected more" : size.error}`,
      "write --max-read 10GB, or leave it out",
    );
  }
  return size.value;
}

function usage(message: string, advice: string): Failure {
  return new Failure(message, advice, EXIT.usage);
}
