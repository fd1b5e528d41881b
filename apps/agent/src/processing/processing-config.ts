import * as z from "zod";

import type { ProcessingSettings } from "../agent-settings.ts";

/** What any source may say about how its records are processed; part of the source's own mapping. */
export const PROCESSING_FIELDS = {
  /** Attributes that each record gets. */
  attributes: z.record(z.string(), z.string()).optional(),
} as const;

type ProcessingConfig = z.infer<z.ZodObject<typeof PROCESSING_FIELDS>>;

/** Undefined where a source's records are shipped as they are. */
export function toProcessing({ attributes }: ProcessingConfig): ProcessingSettings | undefined {
  return attributes === undefined ? undefined : { attributes };
}
