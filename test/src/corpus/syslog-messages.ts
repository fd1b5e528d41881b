import { SERVICES } from "./syslog-services.ts";

/** A program of a server: how often it logs, how its processes come and go, and what it says. */
export interface Program {
  readonly name: string;
  /** Share of lines, relative to the other programs. */
  readonly weight: number;
  /** `daemon` keeps its pid, `session` gets a new one every few lines, `none` writes none. */
  readonly process: "daemon" | "session" | "none";
  /** Templates (template.ts), the most frequent first. */
  readonly messages: readonly string[];
}

const remote: readonly Program[] = [
  {
    name: "sshd",
    weight: 260,
    process: "session",
    messages: [
      "Failed password for invalid user {user} from {ip} port {port} ssh2",
      "Connection closed by authenticating user {user} {ip} port {port} [preauth]",
      "pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost={ip}  user={user}",
      "Received disconnect from {ip} port {port}:11: Bye Bye [preauth]",
      "Disconnected from invalid user {user} {ip} port {port} [preauth]",
      "Accepted publickey for {user} from {lan} port {port} ssh2: ED25519 SHA256:{fingerprint}",
      "pam_unix(sshd:session): session opened for user {user}(uid={of:1000|0|1001|33}) by {user}(uid=0)",
      "pam_unix(sshd:session): session closed for user {user}",
      "Invalid user {user} from {ip} port {port}",
      "error: maximum authentication attempts exceeded for {user} from {ip} port {port} ssh2 [preauth]",
      "reverse mapping checking getaddrinfo for {n:255}.static.example.net [{ip}] failed - POSSIBLE BREAK-IN ATTEMPT!",
    ],
  },
  {
    name: "CRON",
    weight: 130,
    process: "session",
    messages: [
      "(root) CMD (command -v debian-sa1 > /dev/null && debian-sa1 1 1)",
      "pam_unix(cron:session): session opened for user {of:root|www-data|backup}(uid=0) by (uid=0)",
      "pam_unix(cron:session): session closed for user {of:root|www-data|backup}",
      "(root) CMD (   cd / && run-parts --report /etc/cron.hourly)",
      "(www-data) CMD ([ -x /usr/lib/php/sessionclean ] && if [ ! -d /run/systemd/system ]; then /usr/lib/php/sessionclean; fi)",
    ],
  },
  {
    name: "sudo",
    weight: 12,
    process: "none",
    messages: [
      "  {user} : TTY=pts/{skew:4} ; PWD=/home/{user} ; USER=root ; COMMAND=/usr/bin/systemctl restart {unit}.service",
      "pam_unix(sudo:session): session opened for user root(uid=0) by {user}(uid={of:1000|1001})",
      "pam_unix(sudo:session): session closed for user root",
    ],
  },
  {
    name: "postfix/smtpd",
    weight: 40,
    process: "session",
    messages: [
      "connect from unknown[{ip}]",
      "disconnect from unknown[{ip}] ehlo=1 auth=0/1 rset=1 quit=1 commands=3/4",
      "warning: unknown[{ip}]: SASL LOGIN authentication failed: UGFzc3dvcmQ6, sasl_username={user}@example.com",
    ],
  },
  {
    name: "postfix/qmgr",
    weight: 6,
    process: "daemon",
    messages: [
      "{hex:10}: from=<{user}@example.com>, size={skew:90000}, nrcpt=1 (queue active)",
      "{hex:10}: removed",
    ],
  },
  {
    name: "dovecot",
    weight: 10,
    process: "none",
    messages: [
      "imap-login: Login: user=<{user}@example.com>, method=PLAIN, rip={ip}, lip=10.0.0.5, mpid={counter}, TLS, session=<{hex:12}>",
      "imap({user}@example.com)<{counter}><{hex:12}>: Disconnected: Logged out in={skew:900} out={skew:90000} deleted=0 expunged=0 trashed=0",
    ],
  },
];

const system: readonly Program[] = [
  {
    name: "systemd",
    weight: 170,
    process: "daemon",
    messages: [
      "Started {unit}.service - Run the scheduled {unit} job.",
      "{unit}.service: Deactivated successfully.",
      "Starting {unit}.service - Run the scheduled {unit} job...",
      "Finished {unit}.service - Run the scheduled {unit} job.",
      "Started session-{counter}.scope - Session {counter} of User {user}.",
      "session-{counter}.scope: Deactivated successfully.",
      "{unit}.service: Consumed {skew:90}.{frac:3}s CPU time, {skew:500}.{n:10}M memory peak.",
      "Reloading requested from client PID {counter} ('systemctl') (unit session-{counter}.scope)...",
      "{unit}.service: Main process exited, code=exited, status=1/FAILURE",
      "{unit}.service: Failed with result 'exit-code'.",
      "Failed to start {unit}.service - Run the scheduled {unit} job.",
      "run-docker-runtime\\x2drunc-moby-{container}-runc.mount: Deactivated successfully.",
    ],
  },
  {
    name: "systemd-logind",
    weight: 40,
    process: "daemon",
    messages: [
      "New session {counter} of user {user}.",
      "Session {counter} logged out. Waiting for processes to exit.",
      "Removed session {counter}.",
    ],
  },
  {
    name: "systemd-resolved",
    weight: 6,
    process: "daemon",
    messages: [
      "Using degraded feature set UDP instead of UDP+EDNS0 for DNS server {lan}.",
      "Server returned error NXDOMAIN, mitigating potential DNS violation DVE-2018-0001, retrying transaction with reduced feature level UDP.",
    ],
  },
  {
    name: "systemd-networkd",
    weight: 5,
    process: "daemon",
    messages: ["veth{hex:7}: Link UP", "veth{hex:7}: Gained carrier", "veth{hex:7}: Lost carrier"],
  },
  {
    name: "kernel",
    weight: 46,
    process: "none",
    messages: [
      "[{uptime}] [UFW BLOCK] IN=eth0 OUT= MAC=52:54:00:1a:2b:3c:fe:54:00:9d:8e:7f:08:00 SRC={ip} DST=203.0.113.10 LEN=40 TOS=0x00 PREC=0x00 TTL={of:244|243|51|112} ID={n:65536} PROTO=TCP SPT={port} DPT={of:22|23|445|3389|8080} WINDOW=1024 RES=0x00 SYN URGP=0",
      "[{uptime}] docker0: port {skew:9}(veth{hex:7}) entered {of:blocking|disabled|forwarding} state",
      '[{uptime}] audit: type=1400 audit({uptime}:{counter}): apparmor="{of:ALLOWED|DENIED}" operation="open" profile="snap.lxd.daemon" name="/proc/{counter}/status" pid={counter} comm="lxd" requested_mask="r" denied_mask="r" fsuid=0 ouid=0',
      "[{uptime}] TCP: request_sock_TCP: Possible SYN flooding on port {of:443|80|5432}. Sending cookies.",
      "[{uptime}] eth0: renamed from veth{hex:7}",
      "[{uptime}] nf_conntrack: nf_conntrack: table full, dropping packet",
      "[{uptime}] Out of memory: Killed process {counter} ({of:java|node|python3}) total-vm:{n:9000000}kB, anon-rss:{n:4000000}kB, file-rss:0kB, shmem-rss:0kB, UID:1000 pgtables:{n:9000}kB oom_score_adj:0",
      "[{uptime}] EXT4-fs (sda{skew:4}): re-mounted. Quota mode: none.",
      "[{uptime}] perf: interrupt took too long ({n:9000} > 2500), lowering kernel.perf_event_max_sample_rate to 79750",
    ],
  },
  {
    name: "snapd",
    weight: 5,
    process: "daemon",
    messages: [
      'storehelpers.go:{n:900}: cannot refresh: snap has no updates available: "core22", "lxd", "snapd"',
      "autorefresh.go:{n:900}: auto-refresh: all snaps are up-to-date",
    ],
  },
  {
    name: "rsyslogd",
    weight: 2,
    process: "daemon",
    messages: [
      '[origin software="rsyslogd" swVersion="8.2312.0" x-pid="{counter}" x-info="https://www.rsyslog.com"] rsyslogd was HUPed',
      "imuxsock[pid {counter}]: begin to drop messages due to rate-limiting",
    ],
  },
  {
    name: "chronyd",
    weight: 5,
    process: "daemon",
    messages: [
      "Selected source {lan} (ntp{skew:4}.example.net)",
      "System clock wrong by {n:2}.{frac:6} seconds",
    ],
  },
  {
    name: "dbus-daemon",
    weight: 6,
    process: "daemon",
    messages: [
      "[system] Successfully activated service 'org.freedesktop.{of:PackageKit|hostname1|timedate1}'",
      "[system] Activating via systemd: service name='org.freedesktop.{of:PackageKit|hostname1|timedate1}' unit='dbus-org.freedesktop.{of:PackageKit|hostname1|timedate1}.service' requested by ':1.{skew:900}' (uid=0 pid={counter} comm=\"/usr/bin/gdbus\" label=\"unconfined\")",
    ],
  },
  {
    name: "multipathd",
    weight: 30,
    process: "daemon",
    messages: [
      "sda: add missing path",
      "sda: failed to get udev uid: No data available",
      "sda: failed to get sgio uid: No such file or directory",
    ],
  },
  {
    name: "smartd",
    weight: 4,
    process: "daemon",
    messages: [
      "Device: /dev/sd{of:a|b|c} [SAT], SMART Usage Attribute: 194 Temperature_Celsius changed from {n:20} to {n:20}",
    ],
  },
  {
    name: "auditd",
    weight: 4,
    process: "daemon",
    messages: ["Audit daemon rotating log files", "Audit daemon is low on disk space for logging"],
  },
];

/** The programs of a busy server. */
export const PROGRAMS: readonly Program[] = [...remote, ...system, ...SERVICES];
