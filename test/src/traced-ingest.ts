import { appendFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { ChaosProxy } from "./chaos/chaos-proxy.ts";
import type { ServiceProcess } from "./process.ts";
import type { Site } from "./site.ts";
import {
  isAckSent,
  isLogSync,
  isLogWrite,
  readTrace,
  traceCommand,
  type TracedCall,
} from "./system-trace.ts";

export interface TracedIngest {
  readonly collector: ServiceProcess;
  readonly agent: ServiceProcess;
  readonly proxy: ChaosProxy;
  /** The log, line by line; each line but the last was acknowledged before the next was written. */
  readonly path: string;
  readonly written: readonly string[];
  readonly acked: number;
  readonly calls: readonly TracedCall[];
}

/**
 * Ships up to `lines` lines to a traced collector, each after the ack of the one before, so that
 * one batch is on its way at a time. Ends early when the collector ends; stops it otherwise. The
 * agent goes on running.
 */
export async function traceIngest(
  site: Site,
  lines: number,
  inject: readonly string[] = [],
): Promise<TracedIngest> {
  const traceFile = join(site.dir, "collector.trace");
  const path = join(site.logDir, "app.log");
  writeFileSync(path, "");
  const { collector, port } = await site.startCollector({
    wrapper: traceCommand(traceFile, inject),
  });
  const proxy = await ChaosProxy.start(port);
  const agent = await site.startAgent({ port: proxy.port, files: [path] });
  const written: string[] = [];
  let acked = 0;
  while (collector.isRunning && written.length < lines) {
    const line = `line ${written.length}\n`;
    const ack = proxy.seen("ack").then(() => 1);
    appendFileSync(path, line);
    written.push(line);
    acked += await Promise.race([ack, collector.exited.then(() => 0)]);
  }
  if (collector.isRunning) await collector.stop();
  return { collector, agent, proxy, path, written, acked, calls: readTrace(traceFile) };
}

/**
 * Acks that left without a sync of their batch: one that succeeded, began after a write to the log since the ack
 * before had left, and ended before this one was sent. There is one batch between two acks; what the collector
 * writes on its own account, such as that ingest goes on, may come behind the sync.
 */
export function unsyncedAcks(calls: readonly TracedCall[]): TracedCall[] {
  const acks = calls.filter(isAckSent);
  return acks.filter((ack, i) => {
    const sinceAt = acks[i - 1]?.enteredAt ?? Number.NEGATIVE_INFINITY;
    const between = calls.filter(
      ({ enteredAt, leftAt }) => enteredAt > sinceAt && leftAt < ack.enteredAt,
    );
    const wroteAt = between.find(isLogWrite)?.leftAt ?? Number.POSITIVE_INFINITY;
    const isSynced = between.some(
      (call) => isLogSync(call) && call.result === "0" && call.enteredAt > wroteAt,
    );
    return !isSynced;
  });
}
