import * as z from "zod";
import { durationField, sizeField } from "../src/field.ts";

/** A schema with everything that the products' own schemas have: nesting, lists, unions, free keys, quantities. */
export const collectorSchema = z.strictObject({
  listen: z.string().min(1).default("127.0.0.1:7514"),
  data_dir: z.string(),
  read_only: z.boolean().default(false),
  workers: z.int().min(1).max(64).default(2),
  order: z.enum(["time", "stream"]).default("time"),
  upstream: z.union([z.string(), z.array(z.string()).min(1)]).optional(),
  retention: z
    .strictObject({
      keep: z.union([z.literal("forever"), durationField]).prefault("30d"),
      max_size: sizeField.optional(),
      rules: z
        .array(
          z.strictObject({
            match: z.strictObject({ host: z.string().optional() }).catchall(z.string()),
            keep: durationField.optional(),
          }),
        )
        .default([]),
    })
    .prefault({}),
  labels: z.record(z.string(), z.string()).default({}),
  sources: z
    .array(
      z.union([
        z.strictObject({
          file: z.union([z.string(), z.array(z.string())]),
          start: z.enum(["end", "beginning"]).optional(),
        }),
        z.strictObject({ journald: z.strictObject({ unit: z.string().optional() }) }),
        z.strictObject({ syslog: z.strictObject({ listen: z.string() }) }),
      ]),
    )
    .default([]),
});
