import * as z from "zod";

import type { SourceSettings } from "./agent-settings.ts";
import { FILE_SOURCE, toFileSource } from "./file-source-config.ts";
import { JOURNAL_SOURCE, journalName, toJournalSource } from "./journal-source-config.ts";

/** One of these keys says what an item of `sources` reads. */
const KINDS = ["file", "journald"] as const;

/** An item that no kind takes; where it names one kind, that kind's own faults are told. */
function kindFault(input: unknown): string | undefined {
  if (typeof input !== "object" || input === null || Array.isArray(input)) {
    return undefined;
  }
  const named = KINDS.filter((kind) => Object.hasOwn(input, kind));
  if (named.length === 1) {
    return undefined;
  }
  return named.length === 0
    ? `expected one of the keys ${KINDS.join(", ")}: what to read`
    : `${named.join(" and ")} are sources of their own: write an item for each`;
}

const SOURCE = z.union([FILE_SOURCE, JOURNAL_SOURCE], { error: ({ input }) => kindFault(input) });

type SourceConfig = z.infer<typeof SOURCE>;

export const SOURCES = z.array(SOURCE).default([]).superRefine(refuseSecondReader);

export function toSource(source: SourceConfig): SourceSettings {
  return "file" in source ? toFileSource(source) : toJournalSource(source);
}

/** A journal is one stream, which has one reader. */
function refuseSecondReader(sources: readonly SourceConfig[], context: z.RefinementCtx): void {
  const names = new Set<string>();
  for (const [index, source] of sources.entries()) {
    if (!("journald" in source)) {
      continue;
    }
    const name = journalName(toJournalSource(source));
    if (names.has(name)) {
      const message = "an item above reads the same journal: put what both match into one";
      context.addIssue({ code: "custom", path: [index, "journald"], message });
    }
    names.add(name);
  }
}
