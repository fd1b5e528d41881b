import {
  err,
  formatDuration,
  formatExactSize,
  ok,
  parseDuration,
  parseLevelRange,
  parseSize,
} from "@sluice/quantity";
import type { Bytes, DurationMs, Result } from "@sluice/quantity";
import * as z from "zod";

/** How long to keep: a duration above zero, or without end. */
export type Keep = DurationMs | "forever";

/** How much of the volume has to stay free. */
export type MinFree =
  | { readonly kind: "percent"; readonly percent: number }
  | { readonly kind: "bytes"; readonly bytes: Bytes };

const PERCENT = /^(\d{1,2}(?:\.\d{1,3})?) ?%$/;

export const keepField: z.ZodType<Keep, string | number> = scalarField(parseKeep, (keep) =>
  keep === "forever" ? keep : formatDuration(keep),
);

export const capField: z.ZodType<Bytes, string | number> = scalarField(parseCap, formatExactSize);

export const minFreeField: z.ZodType<MinFree, string | number> = scalarField(
  parseMinFree,
  (floor) => (floor.kind === "percent" ? `${floor.percent}%` : formatExactSize(floor.bytes)),
);

/** A level as `parseLevelRange` takes it, kept as text. */
export const levelField: z.ZodType<string, string> = z.string().superRefine((text, context) => {
  const range = parseLevelRange(text);
  if (!range.ok) {
    context.addIssue({ code: "custom", message: range.error });
  }
});

function parseKeep(text: string): Result<Keep> {
  if (text === "forever") {
    return ok("forever");
  }
  const duration = parseDuration(text);
  if (!duration.ok) {
    return err(duration.error.replace(/^expected a duration/, "expected forever or a duration"));
  }
  return duration.value > 0 ? duration : err("expected a duration above zero");
}

/** Zero would mean "keep nothing" here and means "no limit" elsewhere: it is refused. */
function parseCap(text: string): Result<Bytes> {
  const size = parseSize(text);
  return size.ok && size.value === 0
    ? err("expected a size above zero; leave it out to have no limit")
    : size;
}

function parseMinFree(text: string): Result<MinFree> {
  const percent = PERCENT.exec(text.trim());
  if (percent !== null) {
    return ok({ kind: "percent", percent: Number(percent[1]) });
  }
  const size = parseSize(text);
  if (!size.ok) {
    return err("expected a share of the volume such as 5%, below 100%, or a size such as 10GB");
  }
  // A bare 5 is a forgotten percent sign, and as bytes it would switch the floor off unnoticed.
  return /^\d+$/.test(text.trim()) && size.value > 0 && size.value <= 100
    ? err(`expected a unit: ${size.value}% of the volume, or ${size.value}GB`)
    : ok({ kind: "bytes", bytes: size.value });
}

/** The sentence that `parse` gives for an empty text also answers lists and mappings. */
function scalarField<T>(
  parse: (text: string) => Result<T>,
  print: (value: T) => string,
): z.ZodType<T, string | number> {
  const empty = parse("");
  if (empty.ok) {
    throw new TypeError("a quantity cannot be read from an empty text");
  }
  return z.codec(z.union([z.string(), z.number()], { error: empty.error }), z.custom<T>(), {
    decode: (input, context) => {
      const result = parse(String(input));
      if (result.ok) {
        return result.value;
      }
      context.issues.push({ code: "custom", message: result.error, input });
      return z.NEVER;
    },
    encode: (value) => print(value),
  });
}
