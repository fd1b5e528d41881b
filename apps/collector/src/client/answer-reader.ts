import type { SearchProgress, SearchSummary } from "@sluice/store";

import { API_ERROR, type ApiError } from "../api/api-error.ts";

/** A part of a streamed answer. */
export type AnswerPart =
  /** Whole lines of rows, or bytes of bodies, as they came. */
  | { readonly kind: "rows"; readonly bytes: Uint8Array }
  | { readonly kind: "progress"; readonly progress: SearchProgress }
  | { readonly kind: "end"; readonly summary: SearchSummary }
  | { readonly kind: "error"; readonly error: ApiError }
  | { readonly kind: "cursor"; readonly cursor: number; readonly behind: number };

/** How lines begin that are not rows. A row's values are texts and numbers, its keys never these with these values. */
export const ANSWER_MARKS: readonly Buffer[] = marks('{"progress":{', '{"end":{', '{"error":{');
export const FOLLOW_MARKS: readonly Buffer[] = marks('{"cursor":', '{"error":{');

/** Longer than any row can be: a body is 16 MiB at most, and JSON writes a byte as six characters at worst. */
const MAX_LINE_BYTES = 128 * 1024 * 1024;

const LF = 0x0a;

/** Cuts a streamed answer into rows, which are passed on in one piece where they lie together, and the other lines. */
export async function* readLines(
  chunks: AsyncIterable<Buffer>,
  prefixes: readonly Buffer[],
): AsyncGenerator<AnswerPart> {
  for await (const lines of wholeLines(chunks)) {
    let start = 0;
    for (;;) {
      const at = findMark(lines, start, prefixes);
      const end = at === -1 ? lines.length : at;
      if (end > start) {
        yield { kind: "rows", bytes: lines.subarray(start, end) };
      }
      if (at === -1) {
        break;
      }
      start = lines.indexOf(LF, at) + 1;
      yield parseControl(lines.toString("utf8", at, start));
    }
  }
}

/** Takes the frames off a stream of bodies. */
export async function* readBodies(chunks: AsyncIterable<Buffer>): AsyncGenerator<AnswerPart> {
  let left = 0; // bytes of the frame that are still to come
  let partial: Buffer = Buffer.alloc(0);
  for await (const chunk of chunks) {
    let rest = partial.length > 0 ? Buffer.concat([partial, chunk]) : chunk;
    partial = Buffer.alloc(0);
    while (rest.length > 0) {
      if (left > 0) {
        const bytes = rest.subarray(0, left);
        left -= bytes.length;
        rest = rest.subarray(bytes.length);
        yield { kind: "rows", bytes };
        continue;
      }
      const end = rest.indexOf(LF);
      if (end === -1) {
        partial = rest;
        break;
      }
      const line = rest.toString("utf8", 0, end);
      rest = rest.subarray(end + 1);
      const count = /^\{"bodies":(\d{1,15})\}$/.exec(line)?.[1];
      if (count === undefined) {
        yield parseControl(line);
      } else {
        left = Number(count);
      }
    }
  }
}

/** Regroups chunks so that each ends with a line. A line without an end is left out: the answer was cut. */
async function* wholeLines(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let partial: Buffer[] = [];
  let partialBytes = 0;
  for await (const chunk of chunks) {
    const end = chunk.lastIndexOf(LF) + 1;
    if (end > 0) {
      const lines = chunk.subarray(0, end);
      yield partial.length === 0 ? lines : Buffer.concat([...partial, lines]);
      partial = [];
      partialBytes = 0;
    }
    if (end < chunk.length) {
      partial.push(chunk.subarray(end));
      partialBytes += chunk.length - end;
      if (partialBytes > MAX_LINE_BYTES) {
        throw new Error("the answer holds a line without an end");
      }
    }
  }
}

/** The first line that is not a row, looked for from the start of a line; or -1. */
function findMark(lines: Buffer, start: number, prefixes: readonly Buffer[]): number {
  let first = lines.length;
  for (const prefix of prefixes) {
    // A mark begins with the LF before its line; the very first line has none.
    if (lines.subarray(start, start + prefix.length - 1).equals(prefix.subarray(1))) {
      return start;
    }
    const at = lines.indexOf(prefix, start);
    if (at !== -1 && at + 1 < first) {
      first = at + 1;
    }
  }
  return first === lines.length ? -1 : first;
}

function parseControl(line: string): AnswerPart {
  const value = JSON.parse(line) as {
    readonly progress?: SearchProgress;
    readonly end?: SearchSummary;
    readonly error?: unknown;
    readonly cursor?: number;
    readonly behind?: number;
  };
  if (value.progress !== undefined) {
    return { kind: "progress", progress: value.progress };
  }
  if (value.end !== undefined) {
    return { kind: "end", summary: value.end };
  }
  if (value.error !== undefined) {
    return { kind: "error", error: API_ERROR.parse(value.error) };
  }
  return { kind: "cursor", cursor: value.cursor ?? 0, behind: value.behind ?? 0 };
}

function marks(...starts: readonly string[]): readonly Buffer[] {
  return starts.map((start) => Buffer.from(`\n${start}`));
}
