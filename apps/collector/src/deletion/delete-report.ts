import * as z from "zod";

const count = z.int().nonnegative();

/** What would go: the answer of `POST /v1/delete` with `dryRun`. */
export const DELETE_PREVIEW = z.object({
  /** The filter as it was understood. */
  query: z.string(),
  /** Event times, RFC 3339: from this one on, and before this one. Null where there is no bound. */
  since: z.string().nullable(),
  until: z.string().nullable(),
  lines: count,
  /** Of their bodies, with the LF that ended each. */
  bytes: count,
  /** All that have some of them. */
  streamCount: count,
  /** The ten with the most. */
  streams: z.array(z.object({ host: z.string(), source: z.string(), lines: count })),
  /** The ten newest, oldest first: rows as a query gives them. */
  examples: z.array(z.looseObject({})),
  /** To be sent with the delete, which then takes these lines and no other; for a quarter of an hour. */
  confirm: z.string(),
});

export type DeletePreview = z.infer<typeof DELETE_PREVIEW>;

/** What was deleted: the answer of `POST /v1/delete`. */
export const DELETE_REPORT = z.object({
  query: z.string(),
  lines: count,
  bytes: count,
  /** Whether they are gone from the files, too; no query finds them in either case. */
  isGone: z.boolean(),
  tookMs: z.number().nonnegative(),
});

export type DeleteReport = z.infer<typeof DELETE_REPORT>;

/** Which lines, as event times in microseconds: from the first on, before the second. */
export interface DeleteSelection {
  /** A filter of the query language, without stages. */
  readonly query: string;
  readonly fromUs?: number | undefined;
  readonly untilUs?: number | undefined;
}

export interface DeleteOptions {
  /** From the preview. */
  readonly confirm: string;
  /** Resolve only when the lines are gone from the files. */
  readonly wait: boolean;
}
