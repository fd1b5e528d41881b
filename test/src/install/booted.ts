import { spawnSync } from "node:child_process";
import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** From power on to power off: a dozen starts of services, and watchdogs that have to wait. */
const BOOT_TIMEOUT_MS = 15 * 60_000;

/**
 * What is done inside, by systemd itself. Each line that begins with `=` is a result. The watchdog's time is shortened
 * so that its work is seen; a stopped process is one whose event loop stands still.
 */
const SCRIPT = `#!/bin/sh
exec >/root/check.out 2>&1
result() { echo "= $1 $2"; }
wait_for() { # seconds, command
  left=$(( $1 * 5 )); shift
  until "$@" >/dev/null 2>&1; do
    left=$(( left - 1 )); [ $left -gt 0 ] || return 1
    sleep 0.2
  done
}
ask() { sluice query --token-file /var/lib/sluice/tokens/query.token -o raw "$@"; }
has_lines() { [ "$(ask 'install-check source:"/var/log/app.log"' | wc -l)" = 500 ]; }
main_pid() { systemctl show -p MainPID --value "$1"; }

systemctl enable --now sluice
result collector "$(systemctl is-active sluice)"
install -m 600 /var/lib/sluice/tokens/ingest.token /etc/sluice/agent.token
cat >/etc/sluice/agent.yaml <<'YAML'
sources:
  - file: /var/log/app.log
    start: beginning
  - journald: {}
YAML
i=0; while [ $i -lt 500 ]; do i=$(( i + 1 )); echo "install-check line $i"; done >/var/log/app.log
chown root:adm /var/log/app.log; chmod 640 /var/log/app.log
systemctl enable --now sluice-agent
result agent "$(systemctl is-active sluice-agent)"
result agent-status "$(systemctl show -p StatusText --value sluice-agent)"
result agent-user "$(stat -c %U /proc/$(main_pid sluice-agent))"
wait_for 30 has_lines && result lines 500 || result lines "$(ask 'install-check source:"/var/log/app.log"' | wc -l)"
wait_for 30 ask 'source:journald' -n 1 && result journal read || result journal nothing
systemctl reload sluice-agent; result reload $?
is_reloaded() { [ "$(systemctl is-active sluice-agent)" = active ]; }
wait_for 10 is_reloaded
result reloaded "$(systemctl is-active sluice-agent)"

mkdir -p /run/systemd/system/sluice-agent.service.d /run/systemd/system/sluice.service.d
for unit in sluice sluice-agent; do
  printf '[Service]\\nWatchdogSec=6s\\n' >/run/systemd/system/$unit.service.d/watchdog.conf
done
systemctl daemon-reload
systemctl restart sluice sluice-agent
before=$(systemctl show -p WatchdogTimestampMonotonic --value sluice-agent sluice | tr '\\n' ' ')
sleep 15
after=$(systemctl show -p WatchdogTimestampMonotonic --value sluice-agent sluice | tr '\\n' ' ')
[ "$before" != "$after" ] && result beats fresh || result beats none
result restarts-while-well "$(systemctl show -p NRestarts --value sluice-agent sluice | tr -d '\\n')"
for unit in sluice-agent sluice; do
  pid=$(main_pid $unit)
  kill -STOP $pid
  restarted() { [ "$(main_pid $unit)" != "$pid" ] && [ "$(main_pid $unit)" != 0 ] && systemctl is-active $unit; }
  wait_for 60 restarted && result watchdog-$unit restarted || result watchdog-$unit "$(systemctl is-active $unit)"
done
rm -r /run/systemd/system/sluice-agent.service.d /run/systemd/system/sluice.service.d
systemctl daemon-reload

# From here on the agent is an executable of its own: a package's is upgraded by its package.
dpkg --remove sluice-agent
install -m 755 /root/sluice-agent /usr/local/bin/sluice-agent
sluice-agent service install
result service-install "$(systemctl is-active sluice-agent)"
mkdir /root/offer
cp /root/sluice-agent /root/offer/sluice-agent-linux-$1
echo another build >>/root/offer/sluice-agent-linux-$1
offer() { (cd /root/offer && sha256sum * >/root/SHA256SUMS && cp /root/SHA256SUMS SHA256SUMS); }
running() { sha256sum /usr/local/bin/sluice-agent | cut -c1-64; }
offered() { grep -o '^[0-9a-f]*' /root/SHA256SUMS; }
connected() { sluice-agent status --json | grep -q '"state": "connected"'; }
offer
/root/node /root/offer.cjs & server=$!
# The first collector is who offers; it takes no agents, so that these go to the second.
sed -i '1i collector: ["ws://127.0.0.1:7600", "ws://127.0.0.1:7514"]' /etc/sluice/agent.yaml
systemctl restart sluice-agent
wait_for 60 connected && result connected yes || result connected no
sluice-agent upgrade; result upgrade $?
[ "$(running)" = "$(offered)" ] && result upgraded yes || result upgraded no
wait_for 60 connected && result upgraded-connected yes || result upgraded-connected no
good=$(running)
printf '#!/bin/sh\necho "sluice-agent 9.9.9"\n[ "$1" != run ]\n' >/root/offer/sluice-agent-linux-$1
rm /root/offer/SHA256SUMS; offer
sluice-agent upgrade; result bad-upgrade $?
[ "$(running)" = "$good" ] && result rolled-back yes || result rolled-back no
wait_for 60 connected && result rolled-back-connected yes || result rolled-back-connected no
kill $server
sluice-agent uninstall --purge; result uninstall $?
result left "$(ls -d /usr/local/bin/sluice-agent* /etc/systemd/system/sluice-agent* /etc/systemd/system/*/sluice-agent* /var/lib/sluice-agent /etc/sluice/agent.* 2>/dev/null | tr '\n' ' ')"

# A collector that is set up anew, and its one line on a host where systemd runs.
systemctl stop sluice
rm -rf /var/lib/sluice/* /etc/sluice/agent.* /var/log/app.log
printf 'retention:\\n  keep: 7d\\n' >/etc/sluice/collector.yaml
sluice init --name localhost --listen 127.0.0.1:7514 | sed -n 1p
systemctl start sluice
result init "$(grep -cE '^  keep: 7d|^listen: 127.0.0.1:7514|^  ca_file:' /etc/sluice/collector.yaml)"
everything() { find /etc /usr/local /var/lib/sluice-agent -printf '%p %m %u %s\\n' 2>/dev/null | grep -vE '/var/lib/sluice-agent/|^/etc/(passwd|group|g?shadow|sub[ug]id)- ' | sort; }
everything >/root/before
sluice enroll new --label env=prod >/root/enrolment
line=$(grep '^(umask' /root/enrolment | head -n 1)
started=$(date +%s%N)
sh -c "$line"; result one-line $?
wait_for 30 connected && result one-line-connected yes || result one-line-connected no
result one-line-starts "$(journalctl -u sluice-agent --since "@$(( started / 1000000000 ))" | grep -c '"msg":"ready"')"
result one-line-user "$(stat -c %U /proc/$(main_pid sluice-agent))"
echo "the first line of this host" >/var/log/app.log
chown root:adm /var/log/app.log; chmod 640 /var/log/app.log
asked() { sluice query -o raw 'env:prod "the first line of this host"'; }
wait_for 60 asked && result one-line-found yes || result one-line-found no
result one-line-ms "$(( ($(date +%s%N) - started) / 1000000 ))"
everything >/root/installed
pid=$(main_pid sluice-agent)
sh -c "$line"; result one-line-again $?
everything | diff /root/installed - && result one-line-changes none || result one-line-changes some
[ "$pid" = "$(main_pid sluice-agent)" ] && result one-line-restart none || result one-line-restart some
sluice-agent uninstall --purge; result one-line-uninstall $?
everything | diff /root/before - && result one-line-left nothing || result one-line-left something

systemctl stop sluice
result stopped "$(systemctl show -p Result --value sluice)"
systemctl --no-pager -l status sluice sluice-agent
journalctl --no-pager -u sluice -u sluice-agent | tail -40
systemctl poweroff
`;

const EXPECTED = {
  collector: "active",
  agent: "active",
  "agent-status": "shipping; more: sluice-agent status",
  "agent-user": "sluice-agent",
  lines: "500",
  journal: "read",
  reload: "0",
  reloaded: "active",
  beats: "fresh",
  "restarts-while-well": "00",
  "watchdog-sluice-agent": "restarted",
  "watchdog-sluice": "restarted",
  "service-install": "active",
  connected: "yes",
  upgrade: "0",
  upgraded: "yes",
  "upgraded-connected": "yes",
  "bad-upgrade": "1",
  "rolled-back": "yes",
  "rolled-back-connected": "yes",
  uninstall: "0",
  left: "",
  init: "3",
  "one-line": "0",
  "one-line-connected": "yes",
  "one-line-starts": "1",
  "one-line-user": "sluice-agent",
  "one-line-found": "yes",
  "one-line-again": "0",
  "one-line-changes": "none",
  "one-line-restart": "none",
  "one-line-uninstall": "0",
  "one-line-left": "nothing",
  stopped: "success",
} as const;

export interface BootedOutcome {
  readonly problems: readonly string[];
  /** From the line of `sluice enroll new` to the first line of the host that a query finds. */
  readonly oneLineSeconds: number;
}

/** Offers a folder under /download, as a collector does, and takes no agents. */
const OFFER = `const { createReadStream, existsSync } = require("node:fs");
require("node:http").createServer((request, response) => {
  const file = "/root/offer/" + request.url.replace("/download/", "");
  if (!request.url.startsWith("/download/") || !existsSync(file)) response.writeHead(404).end();
  else createReadStream(file).pipe(response);
}).listen(7600, "127.0.0.1");
`;

/** Why a container cannot be booted here; undefined where it can. */
export function bootRefused(): string | undefined {
  return spawnSync("systemd-nspawn", ["--version"]).status === 0
    ? undefined
    : "systemd-nspawn is missing: apt-get install systemd-container";
}

/**
 * Boots a root that has systemd and both packages, and has systemd run the units.
 *
 * @param agent the agent's executable, for an upgrade
 */
export function checkBooted(root: string, agent: string): BootedOutcome {
  cpSync(agent, join(root, "root/sluice-agent"));
  cpSync(process.execPath, join(root, "root/node")); // for what stands in for a collector's downloads alone
  writeFileSync(join(root, "root/offer.cjs"), OFFER);
  const out = join(root, "root/check.out");
  rmSync(out, { force: true });
  writeFileSync(join(root, "root/check.sh"), SCRIPT, { mode: 0o755 });
  writeFileSync(
    join(root, "etc/systemd/system/sluice-check.service"),
    `[Service]\nType=oneshot\nTimeoutStartSec=infinity\nExecStart=/root/check.sh ${process.arch}\n[Install]\nWantedBy=multi-user.target\n`,
  );
  spawnSync("systemctl", ["--root", root, "enable", "sluice-check.service"]);
  const boot = spawnSync(
    "systemd-nspawn",
    ["--boot", "--register=no", "--keep-unit", "--private-network", "--directory", root],
    { encoding: "utf8", timeout: BOOT_TIMEOUT_MS, stdio: ["ignore", "pipe", "pipe"] },
  );
  if (!existsSync(out)) {
    const said = `${boot.stdout}${boot.stderr}`.slice(-600);
    return { problems: [`it did not come up: ${said}`], oneLineSeconds: Number.NaN };
  }
  const text = readFileSync(out, "utf8");
  const results = new Map(
    [...text.matchAll(/^= (\S+) ?(.*)$/gm)].map(([, name = "", value = ""]) => [name, value]),
  );
  const problems = Object.entries(EXPECTED)
    .filter(([name, value]) => results.get(name) !== value)
    .map(([name, value]) => `${name}: ${results.get(name) ?? "no result"}, not ${value}`);
  return {
    problems: problems.length === 0 ? [] : [...problems, text],
    oneLineSeconds: Number(results.get("one-line-ms")) / 1000,
  };
}
