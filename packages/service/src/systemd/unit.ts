/** What differs between the units of the two programs. */
export interface UnitOptions {
  /** The unit's name without `.service`, its user, and its folder under /var/lib. */
  readonly name: string;
  readonly description: string;
  /** Absolute, then the arguments. */
  readonly command: readonly string[];
  /** Groups that the user needs besides its own. */
  readonly groups: readonly string[];
  /** Lines for `[Service]`: its bounds and what only this service needs. */
  readonly settings: readonly string[];
  /** Environment variables. */
  readonly environment: Readonly<Record<string, string>>;
  /** `/home`: `yes` hides it, `read-only` shows what its files allow. */
  readonly home: "yes" | "read-only";
  /** Capabilities that are left, and given; none where it is empty. */
  readonly capabilities: readonly string[];
}

/**
 * A hardened unit, systemd.exec(5). `MemoryDenyWriteExecute` is not in it: V8 compiles at run time.
 * `NotifyAccess=all`, because `systemd-notify` speaks for the service.
 */
export function renderUnit(unit: UnitOptions): string {
  const capabilities = unit.capabilities.join(" ");
  const environment = Object.entries(unit.environment).map(
    ([name, value]) => `Environment=${name}=${value}`,
  );
  return `# Written by \`${unit.name} service install\`; to change a setting: systemctl edit ${unit.name}
[Unit]
Description=${unit.description}
Wants=network-online.target
After=network-online.target
# It is tried for as long as the machine runs: what was not shipped or taken in yet is still wanted.
StartLimitIntervalSec=0

[Service]
Type=notify
NotifyAccess=all
ExecStart=${unit.command.map(quote).join(" ")}
Restart=on-failure
RestartSec=5
# A wrong configuration (78) does not mend itself.
RestartPreventExitStatus=78
TimeoutStopSec=15
# The service ends what it has started: a journalctl that is told to stop as well looks like one that has failed.
KillMode=mixed
User=${unit.name}
Group=${unit.name}
${unit.groups.length === 0 ? "" : `SupplementaryGroups=${unit.groups.join(" ")}\n`}StateDirectory=${unit.name}
StateDirectoryMode=0700
ConfigurationDirectory=sluice
ConfigurationDirectoryMode=0755
UMask=0077
${[...environment, ...unit.settings].join("\n")}

# What it could do if it were taken over: read what its user may read, and speak to the network.
CapabilityBoundingSet=${capabilities}
AmbientCapabilities=${capabilities}
# A user namespace has no capabilities outside of it.
PrivateUsers=${capabilities === "" ? "yes" : "no"}
NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=${unit.home}
PrivateTmp=yes
PrivateDevices=yes
PrivateMounts=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectProc=invisible
RemoveIPC=yes
LockPersonality=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged
SystemCallErrorNumber=EPERM

[Install]
WantedBy=multi-user.target
`;
}

/** systemd.service(5), "Command lines": quotes around what has spaces, `%` and `$` doubled. */
function quote(word: string): string {
  const escaped = word.replaceAll("%", "%%").replaceAll("$", "$$$$");
  return /[\s"'\\;]/.test(escaped)
    ? `"${escaped.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`
    : escaped;
}
