import { decodeColumns, decompressPayload } from "@sluice/protocol";
import Database from "better-sqlite3";

import type { StoreDraft } from "./bench-store.ts";

const ROWS_PER_TRANSACTION = 1_000;

/** The batches' lines, a row each, as a competent first version stores them. Returns milliseconds. */
export function insertRows(path: string, drafts: readonly StoreDraft[]): number {
  const bodies = drafts.map(linesOf);
  const db = new Database(path);
  try {
    db.pragma("journal_mode = WAL");
    db.pragma("synchronous = FULL");
    db.exec(
      "CREATE TABLE lines (id INTEGER PRIMARY KEY, received INTEGER NOT NULL, line TEXT NOT NULL)",
    );
    const insert = db.prepare("INSERT INTO lines (received, line) VALUES (?, ?)");
    const commit = db.transaction((lines: readonly string[]) => {
      for (const line of lines) insert.run(Date.now(), line);
    });
    const startedMs = performance.now();
    for (const lines of bodies) {
      for (let i = 0; i < lines.length; i += ROWS_PER_TRANSACTION) {
        commit(lines.slice(i, i + ROWS_PER_TRANSACTION));
      }
    }
    return performance.now() - startedMs;
  } finally {
    db.close();
  }
}

function linesOf({ payload, rawBytes, count }: StoreDraft): string[] {
  const raw = decompressPayload(payload, rawBytes);
  const columns = raw.ok ? decodeColumns(raw.value, count) : raw;
  if (!columns.ok) throw new Error(columns.error.detail);
  const { buffer, byteOffset, length } = columns.value.bodies;
  return Buffer.from(buffer, byteOffset, length).toString("utf8").trimEnd().split("\n");
}
