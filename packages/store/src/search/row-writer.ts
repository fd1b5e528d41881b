import { isUtf8 } from "node:buffer";
import type { RecordColumns } from "@sluice/protocol";
import { formatTimeRfc3339, SEVERITY_MAX, severityName, timeUs } from "@sluice/quantity";

import type { Match } from "./match-finder.ts";
import type { CatalogStream } from "./run-catalog.ts";
import type { Row } from "./search-request.ts";
import { TimeText } from "./time-text.ts";

/** By severity, how a row says it. */
const LEVEL_FIELDS: readonly string[] = Array.from(
  { length: SEVERITY_MAX + 1 },
  (_, severity) => `,"level":"${severityName(severity)}","severity":${severity}`,
);

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
  const { columns, index, run } = match;
  const { stream } = run;
  const severity = columns.severities[index] ?? 0;
  const attributes = columns.attributes?.[index];
  const { seq } = match;
  return {
    time: formatTimeRfc3339(timeUs(match.timeUs), "utc"),
    received: formatTimeRfc3339(timeUs(match.receivedUs), "utc"),
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

/** Rows as NDJSON: each line is what `JSON.stringify(toRow(match))` gives, in a fraction of its time. */
export function renderRows(matches: readonly Match[]): Uint8Array {
  const times = new TimeText();
  const receiptTimes = new TimeText();
  // Rows of many blocks may alternate, so what is known of one is kept for the whole page.
  const names = new Map<CatalogStream, string>();
  const areText = new Map<RecordColumns, boolean>();
  let text = "";
  for (const match of matches) {
    const { run, columns } = match;
    const { stream } = run;
    let name = names.get(stream);
    if (name === undefined) {
      name = `","host":${JSON.stringify(stream.host)},"source":${JSON.stringify(stream.source)}`;
      names.set(stream, name);
    }
    let isText = areText.get(columns);
    if (isText === undefined) {
      // A body begins and ends beside an LF, so where the whole is UTF-8 each body is.
      isText = isUtf8(columns.bodies);
      areText.set(columns, isText);
    }
    const { index } = match;
    const { seq } = match;
    const attributes = columns.attributes?.[index];
    const received = receiptTimes.of(match.receivedUs);
    const level = LEVEL_FIELDS[columns.severities[index] ?? 0];
    text += `{"time":"${times.of(match.timeUs)}","received":"${received}${name}${level},"id":"${stream.streamId}-${seq}","seq":${seq}`;
    const bytes = bodyBytes(match);
    text +=
      isText || isUtf8(bytes)
        ? `,"body":${JSON.stringify(bytes.toString("utf8"))}`
        : `,"bodyBase64":"${bytes.toString("base64")}"`;
    text += attributes === undefined ? "}\n" : `,"attributes":${JSON.stringify(attributes)}}\n`;
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

function bodyOf(match: Match): Pick<Row, "body" | "bodyBase64"> {
  const bytes = bodyBytes(match);
  return isUtf8(bytes)
    ? { body: bytes.toString("utf8") }
    : { bodyBase64: bytes.toString("base64") };
}

function bodyBytes({ columns, index }: Match): Buffer {
  const start = columns.bodyOffsets[index] ?? 0;
  const end = (columns.bodyOffsets[index + 1] ?? start + 1) - 1;
  const { buffer, byteOffset } = columns.bodies;
  return Buffer.from(buffer, byteOffset + start, end - start);
}
