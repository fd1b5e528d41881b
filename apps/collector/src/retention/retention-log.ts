import type { Log } from "@sluice/service";

import type { RetentionEvents } from "./retention-job.ts";
import type { PruneReport } from "./retention-report.ts";

/** Writes what retention does into the collector's log; a cap that cannot be met is told once, not every minute. */
export function logRetention(log: Log, pruned: (report: PruneReport) => void): RetentionEvents {
  let unmet = "";
  return {
    pruned(report, summary) {
      const { plan, ...outcome } = report;
      pruned(report);
      if (outcome.records > 0) {
        log.info(outcome, `pruned ${summary}`);
      }
      const caps = plan.unmet.map(({ reason }) => reason).join("; ");
      if (caps !== unmet) {
        unmet = caps;
        if (caps !== "") {
          log.warn(
            { unmet: plan.unmet },
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
