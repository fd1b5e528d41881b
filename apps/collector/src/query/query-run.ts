import { EXIT } from "@sluice/service";
import { printFilter, requiredWordSets, suggestFilters } from "@sluice/query";
import { SearchError, type SearchRun, type SearchSummary } from "@sluice/store";

import type { LogSource } from "../client/log-source.ts";
import { explainSearch } from "../output/explain.ts";
import type { Printer } from "../output/printer.ts";
import { showProgress } from "../output/progress.ts";
import { parseRows } from "../output/row.ts";
import type { Sink } from "../output/sink.ts";
import { type QueryPlan, queryFailure } from "./query-plan.ts";

export interface QueryRun {
  readonly source: Pick<LogSource, "search">;
  readonly plan: QueryPlan;
  readonly printer: Printer;
  readonly sink: Sink;
  readonly hasColor: boolean;
  /** A person watches: progress is shown on stderr. */
  readonly isWatched: boolean;
  readonly signal: AbortSignal;
}

/** grep's exit code for "nothing was selected". */
const NOTHING_FOUND = 1;

/** grep's exit code for an error: what could not be read may hold what was looked for. */
const INCOMPLETE = 2;

/** How long may be spent on finding out what an empty answer would have needed. */
const SUGGEST_WITHIN_MS = 2_000;

/**
 * Searches and prints, and says on stderr what could not be read. Gives the summary, which also says
 * where a live view goes on.
 */
export async function runQuery(run: QueryRun): Promise<SearchSummary> {
  const { plan, sink, printer } = run;
  const search = begin(run);
  using progress = showProgress(search, run.isWatched);
  const held: Uint8Array[] = [];
  let left = plan.printed ?? Number.POSITIVE_INFINITY;
  for await (const chunk of search) {
    if (plan.isTurned) {
      held.push(chunk);
    } else if (plan.request.render === "bodies") {
      progress.clear();
      sink.write(chunk);
      await sink.drained();
    } else {
      progress.clear();
      const rows = firstLines(chunk, left);
      left -= rows.count;
      printer.print(rows.bytes);
      await sink.drained();
    }
  }
  progress.clear();
  for (const chunk of turn(held)) {
    printer.print(chunk);
    await sink.drained();
  }
  printer.end();
  await sink.drained();
  return sayDamage(await search.summary);
}

/** "Nothing found" is said only where all of it was looked at. */
export function exitCode(found: number, { damaged }: SearchSummary): number {
  if (found > 0) {
    return EXIT.ok;
  }
  return damaged > 0 ? INCOMPLETE : NOTHING_FOUND;
}

function sayDamage(summary: SearchSummary): SearchSummary {
  const { damaged } = summary;
  if (damaged > 0) {
    process.stderr.write(
      `sluice: the answer is incomplete: ${damaged} damaged ${damaged === 1 ? "block" : "blocks"} could not be read\n`,
    );
  }
  return summary;
}

/** `--count`: the number alone. */
export async function runCount(run: QueryRun): Promise<number> {
  const search = begin(run);
  using progress = showProgress(search, run.isWatched);
  let count = 0;
  for await (const chunk of search) {
    count = Number(parseRows(chunk)[0]?.["count"] ?? 0);
  }
  progress.clear();
  run.sink.write(`${count}\n`);
  await run.sink.drained();
  return exitCode(count, sayDamage(await search.summary));
}

/** `--explain`: what each step of planning left, and where the time went, in place of the rows. */
export async function runExplain(run: QueryRun): Promise<number> {
  const search = begin(run);
  using progress = showProgress(search, run.isWatched);
  let bytes = 0;
  for await (const chunk of search) {
    bytes += chunk.length;
  }
  progress.clear();
  const { filter } = run.plan.query;
  run.sink.write(
    explainSearch({
      filter: printFilter(filter),
      words: requiredWordSets(filter),
      summary: await search.summary,
      answerBytes: bytes,
      isColored: run.hasColor,
    }),
  );
  await run.sink.drained();
  return EXIT.ok;
}

/** For a query that found nothing: a sentence about what would have, or about where it looked. */
export async function suggest(
  { source, plan, signal }: QueryRun,
  summary: SearchSummary,
): Promise<string> {
  const { fromUs, untilUs } = plan.request;
  const within = AbortSignal.any([signal, AbortSignal.timeout(SUGGEST_WITHIN_MS)]);
  const finds = async (query: string, hasRange: boolean): Promise<boolean> => {
    const search = source.search(
      {
        query,
        ...(hasRange && { fromUs, untilUs }),
        order: "time",
        reverse: true,
        limit: 1,
        isLast: true,
        deadlineMs: SUGGEST_WITHIN_MS,
      },
      within,
    );
    for await (const chunk of search) {
      return chunk.length > 0;
    }
    return false;
  };
  const { filter } = plan.query;
  const hasRange = fromUs !== undefined || untilUs !== undefined;
  try {
    for (const { filter: weaker, sentence } of suggestFilters(filter)) {
      if (await finds(printFilter(weaker), true)) {
        return sentence;
      }
    }
    if (hasRange && (await finds(printFilter(filter), false))) {
      return "nothing within --since and --until; outside of them it matches";
    }
  } catch (error) {
    if (!(error instanceof SearchError)) {
      throw error;
    }
  }
  return summary.plan.streamsTotal === 0
    ? "nothing is stored yet"
    : `nothing found in ${summary.plan.streamsLeft} of ${summary.plan.streamsTotal} streams`;
}

/** A collector may read a query otherwise than this version does: its place is shown the same way. */
function begin({ source, plan, signal }: QueryRun): SearchRun {
  const run = source.search(plan.request, signal);
  return {
    summary: run.summary,
    get progress() {
      return run.progress;
    },
    async *[Symbol.asyncIterator]() {
      try {
        yield* run;
      } catch (error) {
        throw error instanceof SearchError && error.query !== undefined
          ? queryFailure(plan.request.query, error.query)
          : error;
      }
    },
  };
}

function firstLines(
  chunk: Uint8Array,
  limit: number,
): { readonly bytes: Uint8Array; readonly count: number } {
  if (limit === Number.POSITIVE_INFINITY) {
    return { bytes: chunk, count: 0 };
  }
  let count = 0;
  let end = 0;
  while (count < limit && end < chunk.length) {
    end = chunk.indexOf(0x0a, end) + 1;
    count += 1;
  }
  return { bytes: chunk.subarray(0, end), count };
}

/** The lines of all chunks, last first, in chunks of the same size. */
function* turn(chunks: readonly Uint8Array[]): Generator<Uint8Array> {
  for (const chunk of chunks.toReversed()) {
    const turned = new Uint8Array(chunk.length);
    let at = 0;
    let end = chunk.length;
    while (end > 0) {
      const start = end < 2 ? 0 : chunk.lastIndexOf(0x0a, end - 2) + 1;
      turned.set(chunk.subarray(start, end), at);
      at += end - start;
      end = start;
    }
    yield turned;
  }
}
