import { randomUUID } from "node:crypto";
import { EXIT, Failure } from "@sluice/service";
import { formatTimeRfc3339, timeUs } from "@sluice/quantity";
import { parseQuery, printFilter } from "@sluice/query";
import {
  type ClosedReceipts,
  type DeleteOrder,
  SearchError,
  type SearchRequest,
  type StoreReader,
} from "@sluice/store";
import * as z from "zod";

import { type OutputRow, parseRows } from "../output/row.ts";
import type {
  DeleteOptions,
  DeletePreview,
  DeleteReport,
  DeleteSelection,
} from "./delete-report.ts";

export interface DeskParts {
  readonly reader: Pick<StoreReader, "search">;
  /** Draws a line behind what has come in so far. */
  readonly closeReceipts: () => Promise<ClosedReceipts>;
  /** Issues a delete. Resolves when it hides its lines or, where that is waited for, when they are gone from the files. */
  readonly carryOut: (order: DeleteOrder, wait: boolean) => Promise<{ readonly isGone: boolean }>;
  readonly nowMs: () => number;
}

/** A pattern that does not come to an end here would not come to one in the store either. */
const PREVIEW_WITHIN_MS = 10 * 60_000;

/** A person reads what would go, and decides. */
const CONFIRM_WITHIN_MS = 15 * 60_000;

const MOST_PREVIEWS = 64;

const SHOWN = 10;

interface Previewed {
  readonly order: Omit<DeleteOrder, "issuedUs">;
  readonly preview: DeletePreview;
  readonly expiresMs: number;
}

/**
 * Deletes lines in two steps: a preview of what would go, then just that, whatever has arrived in
 * between. Nothing is deleted unseen: a filter that takes too long fails as a preview.
 */
export class DeletionDesk {
  readonly #parts: DeskParts;
  readonly #previewed = new Map<string, Previewed>();

  constructor(parts: DeskParts) {
    this.#parts = parts;
  }

  /** @throws SearchError for a query that cannot be read or takes too long, Failure for one that has stages */
  async preview(selection: DeleteSelection, signal: AbortSignal): Promise<DeletePreview> {
    const query = readFilter(selection.query);
    const { fromUs, untilUs } = selection;
    const { receivedUs, highWater } = await this.#parts.closeReceipts();
    const request = (stages: string): SearchRequest => ({
      query: `${query}${stages}`,
      fromUs,
      untilUs,
      arrived: { after: 0, upTo: highWater },
      order: "stream",
      reverse: false,
      deadlineMs: PREVIEW_WITHIN_MS,
    });
    const { bytes, rows: lines } = await this.#measure(
      { ...request(""), render: "bodies" },
      signal,
    );
    const streams = await this.#rows(request(" | stats count() by host, source"), signal);
    // For a next page, that nobody asks for, what is to go would have to be kept.
    const newest = { order: "time", reverse: true, limit: SHOWN, isLast: true } as const;
    const examples = await this.#rows({ ...request(""), ...newest }, signal);
    const preview: DeletePreview = {
      query,
      since: fromUs === undefined ? null : formatTimeRfc3339(timeUs(fromUs)),
      until: untilUs === undefined ? null : formatTimeRfc3339(timeUs(untilUs)),
      lines,
      bytes,
      streamCount: streams.length,
      streams: largest(streams),
      examples: examples.toReversed(),
      confirm: randomUUID(),
    };
    this.#remember({ query, fromUs, untilUs, receivedUs }, preview);
    return preview;
  }

  /** @throws Failure where the preview is not known, or was too long ago */
  async delete({ confirm, wait }: DeleteOptions): Promise<DeleteReport> {
    const { nowMs, carryOut } = this.#parts;
    const previewed = this.#previewed.get(confirm);
    if (previewed === undefined || previewed.expiresMs < nowMs()) {
      throw new Failure(
        "the preview of this delete is no longer known: nothing was deleted",
        "look at what would go once more, and confirm it within a quarter of an hour",
        EXIT.failed,
      );
    }
    this.#previewed.delete(confirm);
    const { query, lines, bytes } = previewed.preview;
    const startedMs = nowMs();
    const order = { ...previewed.order, issuedUs: startedMs * 1000 };
    const { isGone } = lines === 0 ? { isGone: true } : await carryOut(order, wait);
    return { query, lines, bytes, isGone, tookMs: nowMs() - startedMs };
  }

  #remember(order: Previewed["order"], preview: DeletePreview): void {
    const expiresMs = this.#parts.nowMs() + CONFIRM_WITHIN_MS;
    this.#previewed.set(preview.confirm, { order, preview, expiresMs });
    for (const oldest of this.#previewed.keys()) {
      if (this.#previewed.size <= MOST_PREVIEWS) {
        break;
      }
      this.#previewed.delete(oldest);
    }
  }

  async #measure(
    request: SearchRequest,
    signal: AbortSignal,
  ): Promise<{ readonly bytes: number; readonly rows: number }> {
    const run = this.#parts.reader.search(request, signal);
    let bytes = 0;
    for await (const chunk of run) {
      bytes += chunk.length;
    }
    const { rows } = await run.summary;
    return { bytes, rows };
  }

  async #rows(request: SearchRequest, signal: AbortSignal): Promise<OutputRow[]> {
    const rows: OutputRow[] = [];
    for await (const chunk of this.#parts.reader.search(request, signal)) {
      rows.push(...parseRows(chunk));
    }
    return rows;
  }
}

/** The filter in its canonical form: it is kept, and read by later versions. */
function readFilter(text: string): string {
  const query = parseQuery(text);
  if (!query.ok) {
    throw new SearchError("query-invalid", query.error.message, query.error);
  }
  if (query.value.stages.length > 0) {
    throw new Failure(
      "a delete takes a filter alone, and this query has a stage behind |",
      "leave out the stages: whatever the filter matches goes",
      EXIT.usage,
    );
  }
  return printFilter(query.value.filter);
}

const STREAM_ROW = z.object({ host: z.string(), source: z.string(), count: z.number() });

function largest(streams: readonly OutputRow[]): DeletePreview["streams"] {
  return streams
    .map((row) => STREAM_ROW.parse(row))
    .map(({ host, source, count }) => ({ host, source, lines: count }))
    .sort((a, b) => b.lines - a.lines)
    .slice(0, SHOWN);
}
