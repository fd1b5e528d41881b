/**
 * How fast whole blocks are scanned: `node packages/query/bench/scan.ts`, with the package built.
 *
 * 64 MiB of generated syslog-like lines in blocks of 1 MiB, one stream, one core. For each query the best of 7 rounds,
 * in bytes of bodies over time; the seed is fixed.
 */
import type { RecordColumns } from "@sluice/protocol";
import { cpus } from "node:os";
import { compileFilter } from "../src/evaluate.ts";
import { parseQuery } from "../src/parser.ts";
import { scanBlock } from "../src/scan.ts";

const BLOCKS = 64;
const BLOCK_BYTES = 1024 * 1024;
const ROUNDS = 7;
const SEED = 20261122;
const UNITS = ["nginx.service", "ssh.service", "cron.service", "postgresql.service"];
const STREAM = { host: "web-1", source: "/var/log/syslog", labels: { env: "prod" } };

const QUERIES: readonly (readonly [name: string, query: string])[] = [
  ["rare word", "thermonuclear"],
  ["rare number", "734529018334"],
  ["common word", "session"],
  ["word of every line", "web"],
  ["phrase", '"connection refused by upstream"'],
  ["substring", "*rmonuc*"],
  ["regex with a literal", "/took \\d{5,}ms/"],
  ["regex of alternatives", "/refused|thermo|zugzwang/"],
  ["regex with a group", "/(wrote|read) \\d+ buffers \\(0\\.3/"],
  ["regex without one", "/\\d{5,}[a-z]{2}\\b/"],
  ["either of three words", "thermonuclear or bananas or zugzwang"],
  ["without a word", "-session"],
  ["attribute", "unit:nginx.service"],
  ["attribute and word", "unit:nginx.service refused"],
  ["level", "level:>=error"],
  ["field of the body", "status:>=500"],
  ["its value", "rhost:10.20.30.40"],
  ["word on a host", "host:web-* refused"],
];

function makeRandom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    // A linear congruential generator: Numerical Recipes, 2nd edition, section 7.1.
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

function makeLine(random: (below: number) => number, second: number): string {
  const clock = new Date(second * 1000).toISOString().slice(11, 19);
  const head = `Nov 22 ${clock} web-1`;
  const pid = 1000 + random(60_000);
  const ip = `10.${random(256)}.${random(256)}.${random(256)}`;
  switch (random(6)) {
    case 0:
      return `${head} sshd[${pid}]: Accepted publickey for deploy from ${ip} port ${random(65536)} ssh2`;
    case 1:
      return `${head} sshd[${pid}]: pam_unix(sshd:session): session opened for user deploy by (uid=0)`;
    case 2:
      return `${head} nginx[${pid}]: GET /api/v1/items/${random(1e6)} status=${random(200) === 0 ? 502 : 200} took ${random(2000)}ms rhost=${ip}`;
    case 3:
      return random(50) === 0
        ? `${head} nginx[${pid}]: upstream ${ip}: Connection refused by upstream while connecting`
        : `${head} CRON[${pid}]: (root) CMD (run-parts --report /etc/cron.hourly)`;
    case 4:
      return `${head} kernel: [${random(1e6)}.${random(1e6)}] eth0: renamed from veth${random(2 ** 28).toString(16)}`;
    default:
      return random(10_000) === 0
        ? `${head} reactor[${pid}]: Thermonuclear event 734529018334 took ${10_000 + random(90_000)}ms`
        : `${head} postgres[${pid}]: checkpoint complete: wrote ${random(9000)} buffers (0.${random(10)}%)`;
  }
}

function makeBlock(random: (below: number) => number, block: number): RecordColumns {
  const lines: string[] = [];
  let bytes = 0;
  while (bytes < BLOCK_BYTES) {
    const line = `${makeLine(random, block * 9000 + lines.length)}\n`;
    lines.push(line);
    bytes += line.length;
  }
  const bodyOffsets = new Uint32Array(lines.length + 1);
  lines.forEach((line, i) => (bodyOffsets[i + 1] = (bodyOffsets[i] ?? 0) + line.length));
  return {
    count: lines.length,
    timesUs: Float64Array.from(lines, (_, i) => (block * 9000 + i) * 1e6),
    severities: Uint8Array.from(lines, () => [9, 9, 9, 13, 17][random(5)] ?? 9),
    bodyOffsets,
    bodies: Buffer.from(lines.join("")),
    attributes: lines.map(() => ({ unit: UNITS[random(UNITS.length)] ?? "" })),
  };
}

const random = makeRandom(SEED);
const blocks = Array.from({ length: BLOCKS }, (_, block) => makeBlock(random, block));
const plain = blocks.map((block) => ({ ...block, attributes: undefined }));
const totalBytes = blocks.reduce((sum, { bodies }) => sum + bodies.length, 0);

process.stdout.write(
  `${cpus()[0]?.model ?? "unknown processor"}, Node ${process.version}, ${BLOCKS} MiB, seed ${SEED}\n`,
);
process.stdout.write(`${"query".padEnd(24)}${"MB/s".padStart(8)}${"records".padStart(10)}\n`);
for (const [name, query] of QUERIES) {
  const parsed = parseQuery(query);
  if (!parsed.ok) {
    throw new Error(`${query}: ${parsed.error.message}`);
  }
  const filter = compileFilter(parsed.value.filter);
  const searched = name.startsWith("attribute") ? blocks : plain;
  let bestMs = Infinity;
  let found = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const startMs = performance.now();
    found = searched.reduce((sum, block) => sum + scanBlock(filter, STREAM, block).length, 0);
    bestMs = Math.min(bestMs, performance.now() - startMs);
  }
  const rate = (totalBytes / 1e6 / (bestMs / 1000)).toFixed(0);
  process.stdout.write(`${name.padEnd(24)}${rate.padStart(8)}${String(found).padStart(10)}\n`);
}
