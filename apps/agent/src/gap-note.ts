import type { GapCause } from "@sluice/protocol";
import type { EntryOutcome, ReadOutcome } from "@sluice/tail";

import type { Note } from "./sealed-batch.ts";
import type { StreamLedger } from "./stream-ledger.ts";

type Loss = Extract<ReadOutcome, { kind: "lost" }>;
type EntryGap = Extract<EntryOutcome, { kind: "gap" }>;

/** What cannot be read any more, at the end of a stream: nothing of it was ever read. */
export function lossNote(
  { reason, fromByte, knownBytes }: Loss,
  source: Uint8Array,
  ledger: StreamLedger,
): Note {
  ledger.add({ lostBytes: knownBytes ?? 0 });
  return {
    kind: "gap",
    cursor: ledger.seal(source),
    cause: CAUSES[reason],
    range: knownBytes === undefined ? "unknown" : { fromByte, bytes: knownBytes },
    count: 0,
    detail: "",
  };
}

/** NUL bytes that were passed over. */
export function holeNote(
  { offset, length }: { readonly offset: number; readonly length: number },
  source: Uint8Array,
  ledger: StreamLedger,
): Note {
  ledger.add({ gapBytes: length });
  return {
    kind: "gap",
    cursor: ledger.seal(source),
    cause: "corrupt",
    range: { fromByte: offset, toByte: offset + length, bytes: length },
    count: 0,
    detail: "NUL bytes only: the writer went on at its old place in a file that was cut",
  };
}

/** Entries that a journal does not have any more; nobody knows how many they were. */
export function entryGapNote({ cause, detail, cursor }: EntryGap, ledger: StreamLedger): Note {
  return { kind: "gap", cursor: ledger.seal(cursor), cause, range: "unknown", count: 0, detail };
}

const CAUSES: Readonly<Record<Loss["reason"], GapCause>> = {
  truncated: "truncated",
  deleted: "deleted",
  deadline: "deleted",
  "cursor-lost": "cursor_lost",
  corrupt: "corrupt",
};
