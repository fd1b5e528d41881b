import { renderUnit } from "@sluice/service";

/** The unit, its user and the name of the data folder. */
export const SERVICE_NAME = "sluice";

/**
 * The collector's unit. Its memory is a share of the machine's: what searches hold grows with what they look
 * for, and pages of the files that are stored count as well, which the kernel takes back.
 */
export function collectorUnit(command: readonly string[]): string {
  return renderUnit({
    name: SERVICE_NAME,
    description: "Sluice collector: keeps the logs of many hosts",
    command: [...command, "serve"],
    groups: [],
    settings: [
      "WatchdogSec=2min",
      "MemoryHigh=60%",
      "MemoryMax=75%",
      "CPUQuota=400%",
      "TasksMax=256",
    ],
    environment: { MALLOC_ARENA_MAX: "2", MALLOC_MMAP_THRESHOLD_: "131072" },
    home: "yes",
    capabilities: [],
  });
}
