import type { DoctorReport as StoreDoctorReport } from "@sluice/store";
import * as z from "zod";

const count = z.int().nonnegative();

/** `sluice doctor --json`, and the answer of `GET /v1/doctor`. */
export const DOCTOR_REPORT = z.object({
  dataDir: z.string(),
  /** Every record was read. */
  deep: z.boolean(),
  checks: z.array(
    z.object({
      name: z.string(),
      summary: z.string(),
      /** The first of them. */
      problems: z.array(z.string()),
      problemCount: count,
      notes: z.array(z.string()),
    }),
  ),
  problems: count,
  verdict: z.string(),
  /** The one next thing to do; null where nothing is to be done. */
  advice: z.string().nullable(),
});

export type DoctorReport = z.infer<typeof DOCTOR_REPORT>;

export function toDoctorReport({ isDeep, advice, ...report }: StoreDoctorReport): DoctorReport {
  return DOCTOR_REPORT.parse({ ...report, deep: isDeep, advice: advice ?? null });
}
