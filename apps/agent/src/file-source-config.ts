import { resolve } from "node:path";
import { durationField } from "@sluice/config";
import * as z from "zod";

import type { SourceSettings } from "./agent-settings.ts";
import { LABELS } from "./labels-config.ts";
import {
  checkRules,
  FRAMING_FIELDS,
  PROCESSING_FIELDS,
  toProcessing,
} from "./processing/processing-config.ts";
import { isEncoding } from "./transcoder.ts";

/** One glob or a list of them. */
const GLOB = z.string().regex(/^[^\0]+$/, { error: "expected a path or a glob" });
const GLOBS = z.union([GLOB, z.array(GLOB).min(1)]);

/** `sources: [{file: ...}]` */
export const FILE_SOURCE = z
  .strictObject({
    file: GLOBS,
    exclude: GLOBS.optional(),
    /** For files that exist at the first start ever; later ones are read from their beginning. */
    start: z.union([z.enum(["end", "beginning"]), durationField]).default("end"),
    /** Labels of these files' lines, besides the agent's own. */
    labels: LABELS,
    /** Folders that links may lead into, besides those that the globs are rooted in. */
    roots: GLOBS.optional(),
    /** What the files are written in; what is not declared is shipped as it is. */
    encoding: z
      .string()
      .refine(isEncoding, {
        message:
          "expected an encoding such as utf-16le, utf-16be, latin1, windows-1252 or shift_jis",
      })
      .optional(),
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
    encoding: toEncoding(source.encoding),
    roots: toList(source.roots).map((folder) => resolve(folder)),
    include: toList(source.file).map((glob) => resolve(glob)),
    exclude: toList(source.exclude).map((glob) => resolve(glob)),
    start: typeof start === "string" ? start : { withinMs: start },
  };
}

/** UTF-8 is what is shipped: its bytes stay as they are. */
function toEncoding(label: string | undefined): string | undefined {
  return label === undefined || /^utf-?8$/i.test(label.trim()) ? undefined : label;
}

/** A value that may be given alone or as a list. */
export function toList<T>(value: T | readonly T[] | undefined): readonly T[] {
  return value === undefined ? [] : Array.isArray(value) ? (value as readonly T[]) : [value as T];
}
