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

const services: readonly Program[] = [
  {
    name: "nginx",
    weight: 25,
    process: "daemon",
    messages: [
      '{ip} - - "GET {path} HTTP/1.1" {of:200|200|304|404|499} {skew:60000} "-" "{agent}"',
      '{ip} - - "POST {path} HTTP/1.1" {of:201|200|400|401|502} {skew:9000} "-" "{agent}"',
      'upstream timed out (110: Connection timed out) while reading response header from upstream, client: {ip}, server: shop.example.com, request: "GET {path} HTTP/1.1", upstream: "http://{lan}:8080{path}"',
      '*{counter} limiting requests, excess: {n:20}.{frac:3} by zone "perip", client: {ip}, server: shop.example.com',
    ],
  },
  {
    name: "haproxy",
    weight: 12,
    process: "daemon",
    messages: [
      '{ip}:{port} fe_https~ be_app/app{skew:4} 0/0/{skew:9}/{skew:900}/{skew:900} {of:200|304|404|503} {skew:60000} - - ---- {skew:300}/{skew:300}/{skew:40}/{skew:20}/0 0/0 "GET {path} HTTP/2.0"',
      "Health check for server be_app/app{skew:4} succeeded, reason: Layer7 check passed, code: 200, check duration: {skew:90}ms, status: 3/3 UP.",
    ],
  },
  {
    name: "postgres",
    weight: 40,
    process: "session",
    messages: [
      "LOG:  duration: {skew:9000}.{frac:3} ms  statement: SELECT id, total, state FROM orders WHERE customer_id = {n:100000} ORDER BY created_at DESC LIMIT 20",
      "LOG:  duration: {skew:900}.{frac:3} ms  execute <unnamed>: UPDATE sessions SET last_seen = now() WHERE id = $1",
      "LOG:  connection authorized: user={of:shop|report|replica} database=shop application_name=pgbouncer SSL enabled (protocol=TLSv1.3, cipher=TLS_AES_256_GCM_SHA384, bits=256)",
      "LOG:  disconnection: session time: 0:{n:60}:{n:60}.{frac:3} user={of:shop|report|replica} database=shop host={lan} port={port}",
      "LOG:  checkpoint complete: wrote {skew:9000} buffers ({skew:90}.{n:10}%); 0 WAL file(s) added, 0 removed, {skew:9} recycled; write={skew:270}.{frac:3} s, sync=0.{frac:3} s, total={skew:270}.{frac:3} s",
      'ERROR:  duplicate key value violates unique constraint "orders_pkey"',
      "DETAIL:  Key (id)=({counter}) already exists.",
      "ERROR:  canceling statement due to statement timeout",
      "FATAL:  remaining connection slots are reserved for roles with the SUPERUSER attribute",
    ],
  },
  {
    name: "dockerd",
    weight: 20,
    process: "daemon",
    messages: [
      'level=info msg="ignoring event" container={container} module=libcontainerd namespace=moby topic=/tasks/delete type="*events.TaskDelete"',
      'level=warning msg="Health check for container {container} error: context deadline exceeded"',
      'level=info msg="Container failed to exit within 10s of signal 15 - using the force" container={container}',
      'level=error msg="[resolver] failed to query external DNS server" client-addr="udp:{lan}:{port}" dns-server="udp:{lan}:53" error="read udp {lan}:{port}->{lan}:53: i/o timeout" question=";db.internal. IN A"',
    ],
  },
  {
    name: "containerd",
    weight: 20,
    process: "daemon",
    messages: [
      'level=info msg="shim disconnected" id={container} namespace=moby',
      'level=info msg="cleaning up dead shim" namespace=moby',
      'level=warning msg="cleaning up after shim disconnected" id={container} namespace=moby',
    ],
  },
  {
    name: "redis-server",
    weight: 30,
    process: "daemon",
    messages: [
      "{n:900} changes in 60 seconds. Saving...",
      "Background saving started by pid {counter}",
      "DB saved on disk",
      "Background saving terminated with success",
      "Fork CoW for RDB: current {skew:90} MB, peak {skew:90} MB, average {skew:90} MB",
    ],
  },
  {
    name: "kubelet",
    weight: 12,
    process: "daemon",
    messages: [
      '"SyncLoop (PLEG): event for pod" pod="shop/api-{of:7d9c5b8f4|6f7b9c}-{of:x2x9k|p4mzt|q8wns}" event={"ID":"{hex:32}","Type":"ContainerStarted","Data":"{container}"}',
      '"Probe failed" probeType="Readiness" pod="shop/api-{of:7d9c5b8f4|6f7b9c}-{of:x2x9k|p4mzt|q8wns}" containerName="api" probeResult="failure" output="Get \\"http://{lan}:8080/health\\": context deadline exceeded"',
      '"Error syncing pod, skipping" err="failed to \\"StartContainer\\" for \\"worker\\" with CrashLoopBackOff: \\"back-off 5m0s restarting failed container\\"" pod="shop/worker-{of:5c6d|8a9b}"',
    ],
  },
  {
    name: "shop-api",
    weight: 50,
    process: "daemon",
    messages: [
      'level=info msg="request completed" method=GET path={path} status={of:200|200|304|404} duration={skew:900}.{frac:2}ms trace={trace}',
      'level=info msg="order placed" order={counter} customer={n:100000} total={skew:900}.{frac:2} currency=EUR trace={trace}',
      'level=warn msg="slow query" table=orders duration={n:9000}ms rows={skew:9000} trace={trace}',
      'level=debug msg="cache miss" key=product:{skew:20000} ttl=300s',
      'level=error msg="payment declined" provider={of:stripe|adyen|paypal} code={of:card_declined|insufficient_funds|expired_card} order={counter} trace={trace}',
    ],
  },
  {
    name: "shop-worker",
    weight: 70,
    process: "daemon",
    messages: [
      "INFO job {counter} done queue={of:mail|thumbs|invoices} attempts=1 took={skew:9000}ms",
      "INFO job {counter} started queue={of:mail|thumbs|invoices} attempts=1",
      'WARN job {counter} retries queue={of:mail|thumbs|invoices} attempts={skew:5} error="connect ECONNREFUSED {lan}:25"',
    ],
  },
  {
    name: "named",
    weight: 8,
    process: "daemon",
    messages: [
      "client @0x7f{hex:8} {ip}#{port} (example.com): query (cache) 'example.com/ANY/IN' denied (allow-query-cache did not match)",
      "lame-servers: connection refused resolving '{n:255}.{n:255}.in-addr.arpa/PTR/IN': {ip}#53",
    ],
  },
  {
    name: "dhclient",
    weight: 5,
    process: "daemon",
    messages: [
      "DHCPREQUEST for {lan} on eth0 to 10.0.0.1 port 67",
      "DHCPACK of {lan} from 10.0.0.1",
      "bound to {lan} -- renewal in {n:9000} seconds.",
    ],
  },
  {
    name: "openvpn",
    weight: 6,
    process: "daemon",
    messages: [
      "{user}/{ip}:{port} TLS: soft reset sec=3600/3600 bytes={n:90000000}/-1 pkts={n:900000}/0",
      "{user}/{ip}:{port} Data Channel: cipher 'AES-256-GCM', peer-id: {skew:20}",
      "{ip}:{port} TLS Error: TLS key negotiation failed to occur within 60 seconds (check your network connectivity)",
    ],
  },
  {
    name: "fail2ban.actions",
    weight: 12,
    process: "daemon",
    messages: [
      "NOTICE  [sshd] Ban {ip}",
      "NOTICE  [sshd] Unban {ip}",
      "WARNING [sshd] {ip} already banned",
    ],
  },
  {
    name: "prometheus",
    weight: 10,
    process: "daemon",
    messages: [
      'level=info component=tsdb msg="write block" mint={counter} maxt={counter} ulid=01J{hex:8} duration={skew:9}.{frac:6}s',
      'level=warn component="scrape manager" scrape_pool=node target=http://{lan}:9100/metrics msg="Error on ingesting out-of-order samples" num_dropped={skew:90}',
    ],
  },
  {
    name: "grafana",
    weight: 3,
    process: "daemon",
    messages: [
      'logger=context userId={skew:30} orgId=1 uname={user} level=info msg="Request Completed" method=GET path=/api/live/ws status=-1 remote_addr={lan} time_ms={skew:9} duration={n:9}.{frac:6}ms size=0',
    ],
  },
  {
    name: "mysqld",
    weight: 10,
    process: "daemon",
    messages: [
      "{counter} [Note] Aborted connection {counter} to db: 'wiki' user: 'wiki' host: '{lan}' (Got timeout reading communication packets)",
      "{counter} [Warning] Access denied for user '{user}'@'{ip}' (using password: YES)",
    ],
  },
  {
    name: "minio",
    weight: 6,
    process: "daemon",
    messages: [
      "API: PutObject(bucket=backups, object={of:db|www|mail}/{counter}.zst) RequestID: {hex:16} took {skew:900}ms",
    ],
  },
  {
    name: "restic",
    weight: 4,
    process: "session",
    messages: [
      "snapshot {hex:8} saved",
      "processed {n:90000} files, {skew:90}.{frac:3} GiB in {skew:9}:{n:60}",
    ],
  },
  {
    name: "gitea",
    weight: 8,
    process: "daemon",
    messages: [
      "router: completed GET {path} for {lan}:0, 200 OK in {skew:90}.{n:10}ms @ web/home.go:{of:32|66|118}(web.Home)",
    ],
  },
  {
    name: "rabbitmq",
    weight: 8,
    process: "daemon",
    messages: [
      "[info] <0.{n:30000}.0> accepting AMQP connection <0.{n:30000}.0> ({lan}:{port} -> 10.0.0.7:5672)",
      "[warning] <0.{n:30000}.0> closing AMQP connection <0.{n:30000}.0> ({lan}:{port} -> 10.0.0.7:5672, vhost: '/', user: 'shop'): client unexpectedly closed TCP connection",
    ],
  },
  {
    name: "varnishd",
    weight: 4,
    process: "daemon",
    messages: [
      "Child ({counter}) said Child starts",
      "Child ({counter}) Pushing vcls failed: CLI communication error (hdr)",
    ],
  },
  {
    name: "node_exporter",
    weight: 4,
    process: "daemon",
    messages: [
      'level=error collector=textfile msg="failed to collect textfile data" file={of:apt|raid|smart}.prom err="open /var/lib/node_exporter/{of:apt|raid|smart}.prom: no such file or directory"',
    ],
  },
];

/** The programs of a busy server. */
export const PROGRAMS: readonly Program[] = [...remote, ...system, ...services];
