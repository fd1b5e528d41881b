import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import {
  compressPayloadSync,
  encodeColumns,
  encodeFrame,
  PAYLOAD_CODEC_ZSTD,
} from "@sluice/protocol";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { eventually } from "../src/eventually.ts";
import { HostilePeer } from "../src/hostile/hostile-peer.ts";
import { Site } from "../src/site.ts";
import { StoredData } from "../src/stored.ts";

/** Clears the screen, sets the title, begins a C1 sequence, deletes, and turns text around. */
const EVIL = "\u001b[2J\u001b]0;owned\u0007\u009b31m\u007f\b\u202e\u2066evil";
const PATH = "../../../../tmp/sluice-was-here";

/** Our own, in front of a search's progress. */
const CLEAR_LINE = "\r\u001b[2K";

/** What a terminal must not be given; lines end in CR LF on one. */
const UNSAFE =
  // oxlint-disable-next-line no-control-regex -- control characters are what it is for
  /[\u0000-\u0008\u000b-\u000c\u000e-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/;

let site: Site;
let port: number;
let token: string;

beforeAll(async () => {
  site = new Site();
  ({ port } = await site.startCollector());
  token = readFileSync(join(site.dataDir, "tokens/ingest.token"), "utf8").trim();
  await sendRecords("evil", `host ${EVIL}`, `/var/log/${EVIL}`, { env: EVIL });
  await sendRecords("path", PATH, PATH, { partition: PATH, env: "../.." });
  await eventually(
    () => {
      using data = StoredData.open(site.dataDir);
      return data.records() >= 4 ? true : undefined;
    },
    10_000,
    () => site.logTails(),
  );
});
afterAll(() => site[Symbol.asyncDispose]());

/** Two records and a gap; every field that an agent may choose is hostile. */
async function sendRecords(
  version: string,
  hostname: string,
  source: string,
  labels: Record<string, string>,
): Promise<void> {
  using peer = await HostilePeer.greet({ port, token }, { hostname, version, labels });
  await peer.open({ source, labels });
  const bodies = [`first ${EVIL}`, `{"key ${EVIL}":"value ${EVIL}","level":"error"}`];
  const lines = Buffer.from(bodies.map((body) => `${body}\n`).join(""));
  const firstEnd = Buffer.byteLength(bodies[0] ?? "") + 1;
  const timeUs = Date.now() * 1000;
  const raw = encodeColumns({
    count: 2,
    timesUs: Float64Array.from([timeUs, timeUs]),
    severities: Uint8Array.from([0, 17]),
    bodyOffsets: Uint32Array.from([0, firstEnd, lines.length]),
    bodies: lines,
    attributes: [{ [`a ${EVIL}`]: EVIL }, undefined],
  });
  const at = { stream: 0, epoch: 1, ordinal: 0, firstSeq: 0, cursor: Buffer.from("1") };
  const gap = { kind: "gap", cause: "deleted", timeUs, range: "unknown", detail: EVIL } as const;
  peer.socket.send(encodeFrame({ ...at, ...gap, count: 0 }));
  await peer.next("ack");
  const batch = { kind: "batch", codec: PAYLOAD_CODEC_ZSTD, rawBytes: raw.length } as const;
  const times = { minTimeUs: timeUs, maxTimeUs: timeUs };
  const payload = compressPayloadSync(raw);
  peer.socket.send(encodeFrame({ ...at, ordinal: 1, ...batch, ...times, count: 2, payload }));
  await peer.next("ack");
}

/** What a command prints on a terminal, both streams as they come. */
function onTerminal(...args: readonly string[]): string {
  const command = [process.execPath, site.product.collector, ...args, ...site.asking(port)];
  const line = command.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(" ");
  const { stdout, error } = spawnSync("script", ["-qec", line, "/dev/null"], {
    encoding: "utf8",
    timeout: 20_000,
    env: { PATH: process.env["PATH"], HOME: "/nonexistent", NO_COLOR: "1", TERM: "dumb" },
  });
  if (error !== undefined) throw error;
  return stdout;
}

describe("on a terminal nothing of an agent's gets through that the terminal would act on (fault 46)", () => {
  test.for([
    ["query", "*", "-o", "pretty"],
    ["query", "*", "-o", "raw"],
    ["query", "*", "-o", "json"],
    ["query", "*", "-o", "jsonl"],
    ["query", "*", "-o", "logfmt"],
    ["query", "*", "-o", "csv"],
    ["query", "* | stats count() by host, source, env"],
    ["query", "* | top 5 body"],
    ["query", "*", "--explain"],
    ["query", `host:"${EVIL}`],
    ["query", `nothing${EVIL}`],
    ["agents"],
    ["agents", "--json"],
    ["gaps"],
    ["gaps", "--json"],
    ["stats"],
    ["jobs"],
    ["doctor"],
    ["retention", "plan"],
  ])("of sluice %j", (args) => {
    const shown = onTerminal(...args).replaceAll(CLEAR_LINE, "");
    expect(shown.length).toBeGreaterThan(0);
    expect(UNSAFE.exec(shown)?.[0] ?? "").toBe("");
  });

  test("and what was meant is shown, as escapes", () => {
    expect(onTerminal("query", "first", "-o", "raw")).toContain("first \\x1b[2J\\x1b]0;owned\\x07");
    expect(onTerminal("gaps")).toContain("\\u202e");
  });

  test("while a pipe gets the bytes as they were", async () => {
    const { stdout } = await site.sluice("query", "first", "-o", "raw", ...site.asking(port));
    expect(stdout).toContain(EVIL);
  });
});

describe("names are data, never paths (fault 47)", () => {
  test("a host, a source, a label and a version that climb stay inside of the data folder", async () => {
    const compacted = await site.sluice("compact", ...site.asking(port));
    expect(compacted.code).toBe(0);
    expect(existsSync("/tmp/sluice-was-here")).toBe(false);
    const files = readdirSync(site.dataDir, { recursive: true }).map(String);
    expect(
      files.filter((file) => file.endsWith(".db") && file.startsWith("segments/")),
    ).not.toEqual([]);
    for (const file of files) expect(file).toMatch(/^[\w.-]+(\/[\w.-]+)*$/);
    expect(readdirSync(site.dir).sort()).toEqual(["data", "logs"]);
    const found = await site.sluice(
      "query",
      `host:"${PATH}"`,
      "--all",
      "-o",
      "jsonl",
      ...site.asking(port),
    );
    const rows = found.stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as { source: string });
    expect(rows.map(({ source }) => source)).toEqual([PATH, PATH]);
  });
});
