import { parentPort, workerData } from "node:worker_threads";

import { type StoreFailure, toFailure } from "../errors.ts";
import { describeSqliteError } from "../head/head-file.ts";
import type { DoctorReport } from "./doctor-report.ts";
import { examine, type ExaminationOptions } from "./examination.ts";

export type DoctorReply =
  | { readonly kind: "report"; readonly report: DoctorReport }
  | { readonly kind: "failed"; readonly failure: StoreFailure };

const port = parentPort;
if (port !== null) {
  const options = workerData as ExaminationOptions;
  const reply = (message: DoctorReply): void => port.postMessage(message);
  try {
    reply({ kind: "report", report: examine(options, Date.now) });
  } catch (error) {
    reply({ kind: "failed", failure: toFailure(describeSqliteError(error, options.dataDir)) });
  }
}
