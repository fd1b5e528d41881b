/** A process of light agents, one line a second from each at its own moment. Started by `Fleet`. */
import { generateLines } from "../corpus/generate.ts";
import { FleetAgent } from "./fleet-agent.ts";
import type { FleetMark, FleetOrder, FleetRequest } from "./fleet-messages.ts";

/** Loopback addresses that the agents share: the collector takes 256 connections of one. */
const ADDRESSES = 16;
const LINES_BYTES = 1_000_000;
const LINE_EVERY_MS = 1_000;
const LF = 0x0a;

const order = JSON.parse(process.argv[2] ?? "") as FleetOrder;
let ackMs: number[] = [];
let attempts: number[] = [];
let rawBytes = 0;
let isStopping = false;

const lines = makeLines(order.from);
const agents = Array.from({ length: order.to - order.from }, (_, i) => {
  const number = order.from + i;
  return new FleetAgent({
    url: order.url,
    token: order.token,
    host: `host-${number}`,
    localAddress: `127.0.0.${1 + (number % ADDRESSES)}`,
    onAttempt: (atMs) => attempts.push(atMs),
    onAck: (tookMs) => ackMs.push(tookMs),
  });
});

agents.forEach((agent, i) => {
  const phaseMs = (i * LINE_EVERY_MS) / agents.length;
  setTimeout(() => {
    agent.connect();
    setInterval(() => {
      if (isStopping) return;
      const text = lines[Math.floor(Math.random() * lines.length)] ?? Buffer.from("\n");
      rawBytes += text.length;
      agent.write(text);
    }, LINE_EVERY_MS);
  }, phaseMs);
});

process.on("message", (request: FleetRequest) => {
  if (request === "mark") {
    const mark: FleetMark = {
      written: agents.reduce((sum, { written }) => sum + written, 0),
      open: agents.filter(({ isOpen }) => isOpen).length,
      unacked: agents.reduce((sum, { unacked }) => sum + unacked, 0),
      rawBytes,
      ackMs,
      attempts,
    };
    [ackMs, attempts, rawBytes] = [[], [], 0];
    process.send?.(mark);
  } else {
    isStopping = true;
  }
});
process.on("disconnect", () => process.exit());

function makeLines(seed: number): Buffer[] {
  const startUs = Date.UTC(2026, 10, 22) * 1000;
  const options = { kind: "syslog", seed, startUs, linesPerSecond: 1_000 } as const;
  const text = Buffer.concat([...generateLines({ ...options, bytes: LINES_BYTES })]);
  const made: Buffer[] = [];
  for (let from = 0; from < text.length;) {
    const end = text.indexOf(LF, from) + 1;
    made.push(text.subarray(from, end));
    from = end;
  }
  return made;
}
