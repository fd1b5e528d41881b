import { existsSync, readdirSync } from "node:fs";
import { join, relative } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import Database from "better-sqlite3";
import { openStoreReader, runDoctor } from "@sluice/store";

import { bodyOf, KNOWN_STREAMS, placeOf, severityOf } from "./known-log.ts";
import type { Seen } from "./expectation.ts";

const DEADLINE_MS = 60_000;
const LF = 0x0a;
const AT_REST_WITHIN_MS = 4_000;
const LOOK_EVERY_MS = 100;

/** What a store shows of itself, and what is wrong with that by itself. */
export interface Look {
  readonly seen: readonly Seen[];
  readonly problems: string[];
}

/** Looks at a store that has just been opened and is at rest. */
export async function lookAt(dataDir: string): Promise<Look> {
  const { seen, problems } = await lookAtRecords(dataDir);
  problems.push(...(await lastingProblems(dataDir)), ...(await doctorProblems(dataDir)));
  return { seen, problems };
}

/** Every record by the product's own reader: bytes as they were sent, and what it says of each. */
async function lookAtRecords(dataDir: string): Promise<Look> {
  await using reader = openStoreReader(dataDir);
  const problems: string[] = [];
  const seqs = KNOWN_STREAMS.map((): number[] => []);
  const bodies: number[] = [];
  const request = { query: "*", order: "stream", reverse: false, deadlineMs: DEADLINE_MS } as const;
  const signal = AbortSignal.timeout(DEADLINE_MS);
  for await (const body of linesOf(reader.search({ ...request, render: "bodies" }, signal))) {
    const place = placeOf(body);
    const list = place === undefined ? undefined : seqs[place.stream];
    if (
      place === undefined ||
      list === undefined ||
      !body.equals(bodyOf(place.stream, place.seq))
    ) {
      problems.push(`a body that was never sent: ${body.toString("latin1")}`);
    } else {
      list.push(place.seq);
      bodies.push(place.seq);
    }
  }
  const rows: number[] = [];
  for await (const line of linesOf(reader.search(request, signal))) {
    const { seq, host, source, severity } = JSON.parse(line.toString()) as {
      readonly seq: number;
      readonly host: string;
      readonly source: string;
      readonly severity: number;
    };
    const stream = KNOWN_STREAMS.findIndex((one) => one.host === host && one.source === source);
    rows.push(seq);
    if (severity !== severityOf(stream, seq)) {
      problems.push(`stream ${stream}, record ${seq} has severity ${severity}`);
    }
  }
  if (rows.length !== bodies.length || rows.some((seq, i) => seq !== bodies[i])) {
    problems.push("rows and bodies of one search are not of the same records");
  }
  const streams = reader.streams();
  const seen = KNOWN_STREAMS.map(({ host, source }, stream) => ({
    nextSeq: streams.find((one) => one.host === host && one.source === source)?.records ?? 0,
    seqs: seqs[stream] ?? [],
  }));
  return { seen, problems };
}

/** What doctor says of a data folder or a backup, all of which it reads. */
export async function doctorProblems(dataDir: string): Promise<string[]> {
  const { checks } = await runDoctor({ dataDir, isDeep: true });
  return checks.flatMap(({ name, problems }) =>
    problems.map((problem) => `doctor, ${name} of ${dataDir}: ${problem}`),
  );
}

/** A store takes up by itself what is due, and has files meanwhile that are to be swapped in or unlinked. */
async function lastingProblems(dataDir: string): Promise<string[]> {
  const endMs = performance.now() + AT_REST_WITHIN_MS;
  for (;;) {
    const problems = [...accountProblems(dataDir), ...fileProblems(dataDir)];
    if (problems.length === 0 || performance.now() > endMs) {
      return problems;
    }
    await delay(LOOK_EVERY_MS);
  }
}

/** By the manifest alone: what came in is what is stored and what was removed. */
function accountProblems(dataDir: string): string[] {
  const db = new Database(join(dataDir, "head.db"), { readonly: true });
  try {
    const rows = db
      .prepare(
        `SELECT id, next_seq AS nextSeq, records, removed_records AS removed,
           (SELECT coalesce(sum(count), 0) FROM live_batches WHERE stream = streams.id) AS inHead,
           (SELECT coalesce(sum(segment_streams.records), 0) FROM segment_streams
            JOIN segments ON segments.id = segment
            WHERE stream = streams.id AND segments.removed IS NULL) AS inSegments FROM streams`,
      )
      .all() as {
      id: number;
      nextSeq: number;
      records: number;
      removed: number;
      inHead: number;
      inSegments: number;
    }[];
    return rows.flatMap(({ id, nextSeq, records, removed, inHead, inSegments }) =>
      records === inHead + inSegments + removed && nextSeq === records
        ? []
        : [
            `the account of stream ${id}: ${records} records (next ${nextSeq}) are not ` +
              `${inHead} in the head, ${inSegments} in segments and ${removed} removed`,
          ],
    );
  } finally {
    db.close();
  }
}

/** No file that the manifest does not know, none that it misses, nothing put aside. */
function fileProblems(dataDir: string): string[] {
  const db = new Database(join(dataDir, "head.db"), { readonly: true });
  let listed: Set<string>;
  try {
    listed = new Set(db.prepare("SELECT path FROM segments").pluck().all() as string[]);
  } finally {
    db.close();
  }
  const files = segmentFiles(dataDir);
  const there = new Set(files);
  return [
    ...files.filter((file) => !listed.has(file)).map((file) => `an orphan: ${file}`),
    ...[...listed].filter((file) => !there.has(file)).map((file) => `missing: ${file}`),
    ...(existsSync(join(dataDir, "quarantine"))
      ? readdirSync(join(dataDir, "quarantine")).map((file) => `in quarantine: ${file}`)
      : []),
  ];
}

/** Relative to the data folder, unfinished ones included. */
export function segmentFiles(dataDir: string): string[] {
  const root = join(dataDir, "segments");
  return existsSync(root)
    ? readdirSync(root, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => relative(dataDir, join(entry.parentPath, entry.name)))
    : [];
}

async function* linesOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  for await (const chunk of chunks) {
    const bytes = Buffer.from(chunk);
    let from = 0;
    for (let end = bytes.indexOf(LF); end !== -1; end = bytes.indexOf(LF, from)) {
      yield bytes.subarray(from, end);
      from = end + 1;
    }
  }
}
