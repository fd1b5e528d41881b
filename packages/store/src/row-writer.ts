import { isUtf8 } from "node:buffer";
import { formatTimeRfc3339, severityName, timeUs } from "@sluice/quantity";

import { type Match, seqOf } from "./match-finder.ts";
import type { Row } from "./search-request.ts";

/** A record's name for good: streams are never renumbered. */
export function recordId(streamId: number, seq: number): string {
  return `${streamId}-${seq}`;
}

/** Reads what `recordId` wrote; undefined for anything else. */
export function parseRecordId(id: string): { streamId: number; seq: number } | undefined {
  const match = /^(\d{1,15})-(\d{1,16})$/.exec(id);
  const seq = Number(match?.[2]);
  return match !== null && Number.isSafeInteger(seq)
    ? { streamId: Number(match[1]), seq }
    : undefined;
}

/** A match as every surface shows it. */
export function toRow(match: Match): Row {
  const { columns, index, block } = match;
  const { stream } = block;
  const severity = columns.severities[index] ?? 0;
  const attributes = columns.attributes?.[index];
  const seq = seqOf(match);
  return {
    time: formatTimeRfc3339(timeUs(match.timeUs), "utc"),
    received: formatTimeRfc3339(timeUs(block.receivedUs), "utc"),
    host: stream.host,
    source: stream.source,
    level: severityName(severity),
    severity,
    id: recordId(stream.streamId, seq),
    seq,
    ...bodyOf(match),
    ...(attributes !== undefined && { attributes }),
  };
}

/** Rows as NDJSON. */
export function renderRows(matches: readonly Match[]): Uint8Array {
  let text = "";
  for (const match of matches) {
    text += `${JSON.stringify(toRow(match))}\n`;
  }
  return Buffer.from(text, "utf8");
}

/** The bytes of the bodies, each with one LF: consecutive records of a block are one copy. */
export function renderBodies(matches: readonly Match[]): Uint8Array {
  const parts: Uint8Array[] = [];
  for (let i = 0; i < matches.length;) {
    const { columns, index } = matches[i] as Match;
    let run = 1;
    while (matches[i + run]?.columns === columns && matches[i + run]?.index === index + run) {
      run += 1;
    }
    const start = columns.bodyOffsets[index] ?? 0;
    parts.push(columns.bodies.subarray(start, columns.bodyOffsets[index + run]));
    i += run;
  }
  return Buffer.concat(parts);
}

function bodyOf({ columns, index }: Match): Pick<Row, "body" | "bodyBase64"> {
  const start = columns.bodyOffsets[index] ?? 0;
  const end = (columns.bodyOffsets[index + 1] ?? start + 1) - 1;
  const { buffer, byteOffset } = columns.bodies;
  const body = Buffer.from(buffer, byteOffset + start, end - start);
  return isUtf8(body) ? { body: body.toString("utf8") } : { bodyBase64: body.toString("base64") };
}
