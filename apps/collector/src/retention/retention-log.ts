import type { Log } from "@sluice/service";
import type { PruneResult } from "@sluice/store";

import type { RetentionEvents } from "./retention-job.ts";

/** Writes what retention does into the collector's log; a cap that cannot be met is told once, not every minute. */
export function logRetention(
  log: Log,
  pruned: (result: Pick<PruneResult, "batches" | "payloadBytes">) => void,
): RetentionEvents {
  let unmet = "";
  return {
    pruned(report, summary) {
      const { batches, payloadBytes, tookMs, diskBytesBefore, diskBytesAfter } = report;
      pruned(report);
      if (batches > 0) {
        log.info(
          { batches, payloadBytes, tookMs, diskBytesBefore, diskBytesAfter },
          `pruned ${summary}`,
        );
      }
      const caps = report.plan.unmet.map(({ reason }) => reason).join("; ");
      if (caps !== unmet) {
        unmet = caps;
        if (caps !== "") {
          log.warn(
            { unmet: report.plan.unmet },
            `nothing is left to prune, and still: ${caps}; give the volume room, or raise the limit`,
          );
        }
      }
    },
    suspended({ reason }) {
      log.warn(
        { advice: "if the clock is right, run `sluice prune --confirm-clock`" },
        `nothing is pruned by age: ${reason}`,
      );
    },
    failed(error) {
      log.error({ err: error }, "a prune failed; the next one comes within a minute");
    },
  };
}
