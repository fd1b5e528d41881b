import * as z from "zod";
import { capField, keepField, levelField, minFreeField } from "./field.ts";
import type { RetentionPolicy, RetentionPolicyInput } from "./policy.ts";

const ruleSchema = z.strictObject({
  match: z
    .strictObject({
      host: z.string().optional(),
      source: z.string().optional(),
      level: levelField.optional(),
    })
    .catchall(z.string()),
  keep: keepField.optional(),
  max_size: capField.optional(),
});

/** 30 days are what most people look back; 5 % leaves a volume room to work, also for others. */
export const retentionPolicySchema: z.ZodType<RetentionPolicy, RetentionPolicyInput> =
  z.strictObject({
    keep: keepField.prefault("30d"),
    max_size: capField.optional(),
    min_free: minFreeField.prefault("5%"),
    rules: z.array(ruleSchema).readonly().prefault([]),
  });
