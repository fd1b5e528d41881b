import { err, ok } from "@sluice/quantity";
import type { Result } from "@sluice/quantity";

import { isObject } from "../cursor.ts";
import type { StateInvalid } from "../source.ts";
import { decodePosition } from "./journal-position.ts";

const STATE_VERSION = 1;

/** What is remembered of a journal from one run to the next; cursors as `encodePosition` makes them. */
export interface JournalState {
  readonly initial: Uint8Array;
  readonly acked: Uint8Array;
  readonly isFinished: boolean;
}

/** @param state undefined where the journal was never reached */
export function encodeState(state: JournalState | undefined): unknown {
  return {
    v: STATE_VERSION,
    stream:
      state === undefined
        ? null
        : {
            initial: toText(state.initial),
            acked: toText(state.acked),
            finished: state.isFinished,
          },
  };
}

export function decodeState(state: unknown): Result<JournalState | undefined, StateInvalid> {
  if (!isObject(state)) return invalid("not an object");
  if (state["v"] !== STATE_VERSION) return invalid(`version ${String(state["v"])}`);
  const stream = state["stream"];
  if (stream === null) return ok(undefined);
  if (!isObject(stream)) return invalid("no stream");
  const initial = toCursor(stream["initial"]);
  const acked = toCursor(stream["acked"]);
  const { finished } = stream;
  return initial === undefined || acked === undefined || typeof finished !== "boolean"
    ? invalid("a bad stream")
    : ok({ initial, acked, isFinished: finished });
}

function toText(cursor: Uint8Array): string {
  return Buffer.from(cursor).toString("latin1");
}

function toCursor(text: unknown): Uint8Array | undefined {
  const cursor = typeof text === "string" ? Buffer.from(text, "latin1") : undefined;
  return cursor !== undefined && decodePosition(cursor).ok ? cursor : undefined;
}

function invalid(detail: string): Result<never, StateInvalid> {
  return err({ code: "state-invalid", detail: `state of a journal source: ${detail}` });
}
