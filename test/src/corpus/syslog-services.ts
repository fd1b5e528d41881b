import type { Program } from "./syslog-messages.ts";

/** What a server is there for: web, databases, containers, mail. */
export const SERVICES: readonly Program[] = [
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
