// How fast lines are stamped: `node bench/stamp.ts [megabytes]`, 200 by default.
// prettier-ignore
import { availableParallelism, cpus } from "node:os";
import { performance } from "node:perf_hooks";
import { Stamper } from "../src/stamp/stamper.ts";

const SEED = 1;
const ROUNDS = 7;
const START_MS = Date.UTC(2026, 10, 22, 8, 0, 0);
const LINES_PER_SECOND = 5000;

interface Form {
  readonly name: string;
  readonly line: (timeUs: number, random: () => number) => string;
}

/** Park and Miller's minimal standard generator, so that two runs stamp the same lines. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
}

function rfc3339(timeUs: number): string {
  const date = new Date(Math.floor(timeUs / 1000)).toISOString().slice(0, 23);
  return `${date}${String(timeUs % 1000).padStart(3, "0")}+00:00`;
}

function message(random: () => number): string {
  const id = (): number => Math.floor(random() * 1e6);
  const address = `10.${id() % 256}.${id() % 256}.${id() % 256}`;
  switch (id() % 4) {
    case 0:
      return `Accepted publickey for deploy from ${address} port ${id()} ssh2: ED25519 SHA256:${id()}abcdef${id()}`;
    case 1:
      return `Connection closed by authenticating user root ${address} port ${id()} [preauth], session ${id()}`;
    case 2:
      return `Started session-${id()}.scope - Session ${id()} of user deploy on terminal pts/${id() % 9} after ${id()} ms.`;
    default:
      return `pam_unix(sshd:session): session opened for user deploy(uid=${id()}) by (uid=0), request ${id()}`;
  }
}

const PROGRAMS = ["sshd", "systemd", "kernel", "CRON", "dockerd", "postgres"];
const prefixed = (random: () => number): string =>
  `web-1 ${PROGRAMS[Math.floor(random() * 6)] ?? ""}[${Math.floor(random() * 30_000)}]: `;

const FORMS: readonly Form[] = [
  {
    name: "RFC 3339, no level",
    line: (timeUs, random) => `${rfc3339(timeUs)} ${prefixed(random)}${message(random)}`,
  },
  {
    name: "RFC 3339, level",
    line: (timeUs, random) => `${rfc3339(timeUs)} ${prefixed(random)}INFO ${message(random)}`,
  },
  {
    name: "RFC 3164, no level",
    line: (timeUs, random) => {
      const [, month, day, , clock] = new Date(timeUs / 1000)
        .toUTCString()
        .split(/,? /)
        .with(1, "Nov")
        .with(2, "22");
      return `${month} ${day} ${clock} ${prefixed(random)}${message(random)}`;
    },
  },
  {
    name: "RFC 5424, priority",
    line: (timeUs, random) => `<34>1 ${rfc3339(timeUs)} web-1 sshd 12 - - ${message(random)}`,
  },
  {
    name: "common log",
    line: (timeUs, random) =>
      `10.0.0.${Math.floor(random() * 256)} - - [22/Nov/2026:${new Date(timeUs / 1000).toISOString().slice(11, 19)} +0000] "GET /${message(random)} HTTP/1.1" 200`,
  },
  {
    name: "JSON",
    line: (timeUs, random) =>
      JSON.stringify({ level: "info", time: rfc3339(timeUs), msg: message(random) }),
  },
  { name: "no time", line: (_, random) => `    at ${message(random)}` },
];

/** Lines of one form, about `bytes` of them, and where each ends (the line feed's offset). */
function lines(form: Form, bytes: number): { buffer: Buffer; ends: Uint32Array } {
  const random = seeded(SEED);
  const buffer = Buffer.allocUnsafe(bytes);
  const ends: number[] = [];
  let at = 0;
  for (let n = 0; ; n += 1) {
    const timeUs = START_MS * 1000 + Math.floor((n * 1_000_000) / LINES_PER_SECOND);
    const line = form.line(timeUs, random);
    if (at + line.length + 1 > bytes) break;
    at += buffer.write(`${line}\n`, at, "latin1");
    ends.push(at - 1);
  }
  return { buffer: buffer.subarray(0, at), ends: Uint32Array.from(ends) };
}

function run(
  buffer: Buffer,
  ends: Uint32Array,
): { elapsedMs: number; timed: number; severe: number } {
  const stamper = new Stamper({ zone: 0 });
  const readAtUs = START_MS * 1000 + 3_600_000_000;
  let timed = 0;
  let severe = 0;
  let start = 0;
  const begin = performance.now();
  for (const end of ends) {
    stamper.stamp(buffer, start, end, readAtUs);
    if (stamper.timed) timed += 1;
    if (stamper.severity !== 0) severe += 1;
    start = end + 1;
  }
  return { elapsedMs: performance.now() - begin, timed, severe };
}

const totalBytes = Number(process.argv[2] ?? 200) * 1_000_000;
console.log(
  `${cpus()[0]?.model ?? "unknown processor"}, ${availableParallelism()} cores, Node ${process.version}, seed ${SEED}, best of ${ROUNDS}`,
);
const rows = FORMS.map((form, index) => {
  // The goal is stated for the first form; a quarter of its bytes tells enough of the others.
  const { buffer, ends } = lines(form, index === 0 ? totalBytes : totalBytes / 4);
  const runs = Array.from({ length: ROUNDS }, () => run(buffer, ends));
  const best = runs.reduce((a, b) => (b.elapsedMs < a.elapsedMs ? b : a));
  return {
    form: form.name,
    "bytes/line": Math.round(buffer.length / ends.length),
    "ns/line": Math.round((best.elapsedMs * 1e6) / ends.length),
    "MB/s": Math.round(buffer.length / 1000 / best.elapsedMs),
    timed: best.timed / ends.length,
    severity: best.severe / ends.length,
  };
});
console.table(rows);
