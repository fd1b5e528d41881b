import { resolve } from "node:path";
import { durationField } from "@sluice/config";
import * as z from "zod";

import type { SourceSettings } from "./agent-settings.ts";
import {
  checkRules,
  FRAMING_FIELDS,
  PROCESSING_FIELDS,
  toProcessing,
} from "./processing/processing-config.ts";

/** One glob or a list of them. */
const GLOBS = z.union([z.string().min(1), z.array(z.string().min(1)).min(1)]);

/** `sources: [{file: ...}]` */
export const FILE_SOURCE = z
  .strictObject({
    file: GLOBS,
    exclude: GLOBS.optional(),
    /** For files that exist at the first start ever; later ones are read from their beginning. */
    start: z.union([z.enum(["end", "beginning"]), durationField]).default("end"),
    /** Labels of these files' lines, besides the agent's own. */
    labels: z.record(z.string(), z.string()).default({}),
    ...FRAMING_FIELDS,
    ...PROCESSING_FIELDS,
  })
  .superRefine(checkRules);

export function toFileSource(
  source: z.infer<typeof FILE_SOURCE>,
): Extract<SourceSettings, { kind: "file" }> {
  const { start, labels } = source;
  return {
    kind: "file",
    labels,
    processing: toProcessing(source),
    include: toList(source.file).map((glob) => resolve(glob)),
    exclude: toList(source.exclude).map((glob) => resolve(glob)),
    start: typeof start === "string" ? start : { withinMs: start },
  };
}

/** A value that may be given alone or as a list. */
export function toList<T>(value: T | readonly T[] | undefined): readonly T[] {
  return value === undefined ? [] : Array.isArray(value) ? (value as readonly T[]) : [value as T];
}
