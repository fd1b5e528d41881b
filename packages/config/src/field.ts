import { formatDuration, formatExactSize, parseDuration, parseSize } from "@sluice/quantity";
import type { Bytes, DurationMs, Result } from "@sluice/quantity";
import * as z from "zod";

/** `30d`, `1h30m`; a bare number is refused, as it has no unit. To allow a word: `z.union([z.literal("forever"), durationField])`. */
export const durationField: z.ZodType<DurationMs, string | number> = scalarField(
  parseDuration,
  formatDuration,
);

/** `50GB`, `512MiB`, or a number of bytes. */
export const sizeField: z.ZodType<Bytes, string | number> = scalarField(parseSize, formatExactSize);

/**
 * A schema for a YAML scalar that is a quantity. `print` must give what `parse` reads back as the same value: it is what
 * `config show` prints. The sentence that `parse` gives for an empty text also answers lists and mappings.
 */
export function scalarField<T>(
  parse: (text: string) => Result<T>,
  print: (value: T) => string,
): z.ZodType<T, string | number> {
  const expected = parse("");
  if (expected.ok) {
    throw new TypeError("a quantity cannot be read from an empty text");
  }
  return z.codec(z.union([z.string(), z.number()], { error: expected.error }), z.custom<T>(), {
    decode: (input, context) => {
      const result = parse(String(input));
      if (result.ok) {
        // z.custom's input and output are the same type; the compiler sees only its input here.
        return result.value;
      }
      context.issues.push({ code: "custom", message: result.error, input });
      return z.NEVER;
    },
    encode: (value) => print(value),
  });
}
