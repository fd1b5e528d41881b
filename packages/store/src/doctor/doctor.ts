import { fromFailure, StoreError } from "../errors.ts";
import { startThread } from "../thread.ts";
import type { DoctorReport } from "./doctor-report.ts";
import type { DoctorReply } from "./doctor-thread.ts";
import type { ExaminationOptions } from "./examination.ts";

/**
 * Looks whether a data folder, or a backup, is whole: in a thread of its own, also beside a running
 * collector, and without changing anything.
 *
 * @throws StoreError where it cannot be examined at all: of a newer version, or not ours to read
 */
export function runDoctor(
  options: ExaminationOptions,
  signal?: AbortSignal,
): Promise<DoctorReport> {
  const worker = startThread("./doctor-thread", import.meta.url, "sluice-doctor", options);
  return new Promise((resolve, reject) => {
    worker.once("message", (reply: DoctorReply) => {
      if (reply.kind === "report") {
        resolve(reply.report);
      } else {
        reject(fromFailure(reply.failure));
      }
    });
    worker.once("error", reject);
    worker.once("exit", () =>
      reject(new StoreError("closed", "the examination was ended", "start it again")),
    );
    signal?.addEventListener("abort", () => void worker.terminate(), { once: true });
  });
}
