import { resolve } from "node:path";
import { durationField } from "@sluice/config";
import * as z from "zod";

import type { SourceSettings } from "./agent-settings.ts";
import { toList } from "./file-source-config.ts";
import { LABELS } from "./labels-config.ts";
import { checkRules, PROCESSING_FIELDS, toProcessing } from "./processing/processing-config.ts";

/** `_SYSTEMD_UNIT=ssh.service`, or the "+" that stands between two alternatives. */
const MATCH = z.string().regex(/^(\+|[A-Z0-9_]{1,64}=[^\0]*)$/, {
  error: 'expected a match such as _SYSTEMD_UNIT=ssh.service, or "+" between two',
});

const UNIT = z.string().regex(/^[^-\0][^\0]*$/, {
  error: "expected the name of a unit such as ssh.service, or a pattern such as docker*",
});

const FIELD = z.string().regex(/^[A-Z0-9_]{1,64}$/, {
  error: "expected a field by journald's name such as _SYSTEMD_UNIT",
});

/** Each is an attribute of each entry: the protocol takes 128, and rules add some. */
const MOST_FIELDS = 64;

/** One text or a list of them. */
function oneOrMore<T extends z.ZodType>(item: T): z.ZodUnion<[T, z.ZodArray<T>]> {
  return z.union([item, z.array(item).min(1)]);
}

/** `sources: [{journald: {...}}]` */
export const JOURNAL_SOURCE = z
  .strictObject({
    journald: z.strictObject({
      /** A folder of journal files, such as another user's or those that other hosts sent; default: this machine's journal. */
      directory: z
        .string()
        .regex(/^[^\0]+$/, { error: "expected a folder" })
        .optional(),
      match: oneOrMore(MATCH).optional(),
      units: oneOrMore(UNIT).optional(),
      fields: z.array(FIELD).max(MOST_FIELDS).optional(),
    }),
    /** Where the first start ever begins. */
    start: z.union([z.enum(["end", "beginning"]), durationField]).default("end"),
    /** Labels of the journal's entries, besides the agent's own. */
    labels: LABELS,
    multiline: z
      .never({ error: "is for files: an entry of a journal is one record already" })
      .optional(),
    ...PROCESSING_FIELDS,
  })
  .superRefine(checkRules);

export function toJournalSource(
  source: z.infer<typeof JOURNAL_SOURCE>,
): Extract<SourceSettings, { kind: "journald" }> {
  const { start, labels } = source;
  const { directory, match, units, fields } = source.journald;
  return {
    kind: "journald",
    labels,
    processing: toProcessing(source),
    directory: directory === undefined ? undefined : resolve(directory),
    match: toList(match),
    units: toList(units),
    fields,
    start: typeof start === "string" ? start : { withinMs: start },
  };
}

/** How the source's stream is called. */
export function journalName({ directory }: { readonly directory: string | undefined }): string {
  return directory === undefined ? "journald" : `journald:${directory}`;
}
