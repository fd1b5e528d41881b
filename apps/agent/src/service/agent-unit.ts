import { renderUnit } from "@sluice/service";

/** The unit, its user and the name of the state folder. */
export const SERVICE_NAME = "sluice-agent";

/** As systemd passes the token on, and where it takes it from. */
export const TOKEN_CREDENTIAL = { name: "agent.token", file: "/etc/sluice/agent.token" } as const;

export interface AgentUnitOptions {
  readonly command: readonly string[];
  /** Every file, whoever's it is, instead of what the groups may read. */
  readonly readsAll: boolean;
}

/**
 * The agent's unit. Its ceilings are twice what it takes at full speed (docs/performance.md), and one core: a host's
 * machine is not the agent's.
 */
export function agentUnit({ command, readsAll }: AgentUnitOptions): string {
  const { name, file } = TOKEN_CREDENTIAL;
  return renderUnit({
    name: SERVICE_NAME,
    description: "Sluice agent: ships this host's logs",
    command: [...command, "run"],
    groups: ["adm", "systemd-journal"],
    settings: [
      // By the shell's own kill: a minimal Debian has no other.
      'ExecReload=/bin/sh -c "kill -HUP $MAINPID"',
      "WatchdogSec=2min",
      // Root reads the token and hands it on; the second line lets the service start without one.
      `LoadCredential=${name}:${file}`,
      `SetCredential=${name}:\\n`,
      "MemoryHigh=192M",
      "MemoryMax=256M",
      "CPUQuota=100%",
      "TasksMax=64",
    ],
    environment: { MALLOC_ARENA_MAX: "1", MALLOC_MMAP_THRESHOLD_: "32768" },
    home: "read-only",
    capabilities: readsAll ? ["CAP_DAC_READ_SEARCH"] : [],
  });
}
