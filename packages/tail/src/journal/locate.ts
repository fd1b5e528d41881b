import { ok } from "@sluice/quantity";
import type { Result } from "@sluice/quantity";

import type { EntryOutcome } from "../source.ts";
import { entryTimeUs, isBehind, numbersBetween, sharesNumbering } from "./journal-position.ts";
import type { JournalPosition } from "./journal-position.ts";
import type { Journalctl, JournalctlFault } from "./journalctl.ts";

/** Entries that are not there any more, and where the stream goes on. */
export interface JournalGap {
  readonly cause: Extract<EntryOutcome, { kind: "gap" }>["cause"];
  readonly detail: string;
  readonly position: JournalPosition;
}

type Located =
  | { readonly kind: "found"; readonly position: JournalPosition }
  | { readonly kind: "gap"; readonly gap: JournalGap };

type Location = Result<Located, JournalctlFault>;

/** An entry that no journal has. */
export const UNKNOWN_ENTRY = "unknown";

/**
 * Looks whether a journal still has a position. journalctl itself says nothing where it does not: it
 * goes on at what comes next in its order, or stays silent where nothing does.
 */
export async function locate(
  journalctl: Journalctl,
  position: JournalPosition,
  signal: AbortSignal,
): Promise<Location> {
  if (position.kind === "beginning") {
    return found(position);
  }
  const { entry } = position;
  if (entryTimeUs(entry) === undefined) {
    return startOver(journalctl, entry, signal);
  }
  const answer = await journalctl.at(entry, signal);
  if (!answer.ok) {
    // journalctl takes some things for no cursor that look like one.
    return answer.error.detail.includes("Invalid argument")
      ? startOver(journalctl, entry, signal)
      : answer;
  }
  const next = answer.value;
  if (next === entry) {
    return found(position);
  }
  if (next === undefined) {
    return locateBehindAll(journalctl, entry, signal);
  }
  return position.kind === "after" && numbersBetween(entry, next) === 0n
    ? found({ kind: "at", entry: next })
    : vacuumed(entry, { kind: "at", entry: next });
}

/** The next entry that can be read, at least `skipUs` behind a position that cannot. */
export async function locateReadable(
  journalctl: Journalctl,
  position: JournalPosition,
  skipUs: bigint,
  signal: AbortSignal,
): Promise<Location> {
  const timeUs = position.kind === "beginning" ? undefined : entryTimeUs(position.entry);
  if (position.kind === "beginning" || timeUs === undefined) {
    return found(position);
  }
  const next = await journalctl.oldestSince(timeUs + skipUs, signal);
  if (!next.ok) {
    return next;
  }
  if (next.value === undefined || !isBehind(next.value, position.entry)) {
    return found(position);
  }
  const detail = `journalctl cannot read what follows ${position.entry}`;
  return gap({ cause: "corrupt", detail, position: { kind: "at", entry: next.value } });
}

/** The journal has neither the entry nor any behind it. */
async function locateBehindAll(
  journalctl: Journalctl,
  entry: string,
  signal: AbortSignal,
): Promise<Location> {
  const newest = await journalctl.newest(signal);
  if (!newest.ok) {
    return newest;
  }
  if (newest.value === undefined) {
    return vacuumed(entry, { kind: "beginning" });
  }
  return sharesNumbering(entry, newest.value)
    ? vacuumed(entry, { kind: "after", entry: newest.value })
    : startOver(journalctl, entry, signal);
}

/** Nothing in the journal has to do with the entry: all of it is new. */
async function startOver(
  journalctl: Journalctl,
  entry: string,
  signal: AbortSignal,
): Promise<Location> {
  const oldest = await journalctl.oldest(signal);
  if (!oldest.ok) {
    return oldest;
  }
  return gap({
    cause: "cursor_lost",
    detail: `the journal has no entry ${entry} and none of its kind: reading from the oldest`,
    position:
      oldest.value === undefined ? { kind: "beginning" } : { kind: "at", entry: oldest.value },
  });
}

function vacuumed(entry: string, position: JournalPosition): Location {
  const detail = `the journal has no entry ${entry} any more`;
  return gap({ cause: "vacuumed", detail, position });
}

function found(position: JournalPosition): Location {
  return ok({ kind: "found", position });
}

function gap(of: JournalGap): Location {
  return ok({ kind: "gap", gap: of });
}
