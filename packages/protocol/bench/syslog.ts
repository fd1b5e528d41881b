/** Syslog-like lines from a seed: a handful of programs, growing pids, addresses, one-second times. */

const MESSAGES: ReadonlyArray<readonly [program: string, severity: number, text: string]> = [
  ["sshd", 9, "Failed password for invalid user USER from ADDR port NUM ssh2"],
  [
    "sshd",
    9,
    "pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh rhost=ADDR",
  ],
  ["sshd", 9, "Connection closed by authenticating user USER ADDR port NUM [preauth]"],
  ["systemd", 9, "Started Session NUM of User USER."],
  ["systemd", 9, "session-NUM.scope: Deactivated successfully."],
  ["CRON", 9, "(USER) CMD (   cd / && run-parts --report /etc/cron.hourly)"],
  [
    "kernel",
    13,
    "[UFW BLOCK] IN=eth0 OUT= MAC=HEX SRC=ADDR DST=ADDR LEN=60 TTL=NUM PROTO=TCP SPT=NUM DPT=NUM",
  ],
  [
    "dockerd",
    17,
    'time="HEX" level=error msg="Handler for GET /containers/HEX/json returned error: No such container"',
  ],
  [
    "nginx",
    9,
    'ADDR - - "GET /api/v1/items/NUM?session=HEX HTTP/1.1" 200 NUM "-" "curl/8.5.0" NUM',
  ],
];
const USERS = ["root", "admin", "oracle", "test", "www-data", "deploy"];

export interface SyslogLines {
  readonly bytes: Buffer;
  readonly timesUs: readonly number[];
  readonly severities: readonly number[];
}

/** Whole lines of about `bytes` bytes in all, each ended by LF. */
export function syslogLines(bytes: number, seed: number): SyslogLines {
  let state = seed >>> 0 || 1;
  const random = (below: number): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
  const lines: string[] = [];
  const timesUs: number[] = [];
  const severities: number[] = [];
  let second = 1_750_000_000;
  for (let size = 0; size < bytes;) {
    if (random(4) === 0) second += 1;
    const [program, severity, text] = MESSAGES[random(MESSAGES.length)] ?? ["-", 0, "-"];
    const message = text.replaceAll(/USER|ADDR|NUM|HEX/g, (word) => {
      if (word === "USER") return USERS[random(USERS.length)] ?? "";
      if (word === "NUM") return String(random(65_536));
      if (word === "HEX") return (random(2 ** 31) + 2 ** 31).toString(16);
      return `${random(223) + 1}.${random(256)}.${random(256)}.${random(256)}`;
    });
    const clock = new Date(second * 1000).toISOString().slice(0, 19);
    const line = `${clock} web-1 ${program}[${1000 + random(30_000)}]: ${message}\n`;
    size += line.length;
    lines.push(line);
    timesUs.push(second * 1_000_000);
    severities.push(severity);
  }
  return { bytes: Buffer.from(lines.join(""), "latin1"), timesUs, severities };
}
