import type { GapCause } from "@sluice/protocol";
import type { CursorInvalid, CursorLost, EntryOutcome, ReadOutcome } from "@sluice/tail";

import type { Note } from "./sealed-batch.ts";
import type { StreamLedger } from "./stream-ledger.ts";

type Ended = Extract<ReadOutcome, { kind: "ended" | "lost" }>;
type EntryGap = Extract<EntryOutcome, { kind: "gap" }>;

/**
 * The end of a stream, and what of it cannot be read any more: nothing of that was ever read. They
 * are stored together, so that a loss is not recorded once more by who comes back in between.
 */
export function endNotes(outcome: Ended, source: Uint8Array, ledger: StreamLedger): Note[] {
  if (outcome.kind === "ended") {
    return [{ kind: "final", cursor: ledger.sealEnd(source) }];
  }
  const { reason, fromByte, knownBytes } = outcome;
  const range = knownBytes === undefined ? "unknown" : { fromByte, bytes: knownBytes };
  return lossNotes({ cause: CAUSES[reason], range, detail: "" }, source, ledger);
}

/** The end of a stream whose place to read on from is in no file. */
export function cursorLostNotes(
  error: CursorLost | CursorInvalid,
  source: Uint8Array,
  ledger: StreamLedger,
): Note[] {
  const bytes = error.code === "cursor-lost" ? error.knownBytes : undefined;
  const range = bytes === undefined ? "unknown" : { bytes };
  return lossNotes({ cause: "cursor_lost", range, detail: error.detail }, source, ledger);
}

function lossNotes(
  loss: Pick<Extract<Note, { kind: "gap" }>, "cause" | "range" | "detail">,
  source: Uint8Array,
  ledger: StreamLedger,
): Note[] {
  ledger.add({ lostBytes: loss.range === "unknown" ? 0 : (loss.range.bytes ?? 0) });
  const cursor = ledger.sealEnd(source);
  return [
    { kind: "gap", cursor, count: 0, ...loss },
    { kind: "final", cursor },
  ];
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

const CAUSES: Readonly<Record<Extract<Ended, { kind: "lost" }>["reason"], GapCause>> = {
  truncated: "truncated",
  deleted: "deleted",
  deadline: "deleted",
  "cursor-lost": "cursor_lost",
  corrupt: "corrupt",
};
