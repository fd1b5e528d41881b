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
 * Acks that left without a sync behind the last write to the log before them: one that began
 * after that write had ended, succeeded, and ended before the ack was sent. What the collector
 * notes of its own doings is no batch, and may be written at any moment.
 */
export function unsyncedAcks(calls: readonly TracedCall[]): TracedCall[] {
  const notes = writesOfNotes(calls);
  return calls.filter(isAckSent).filter((ack) => {
    const before = calls.filter(({ enteredAt }) => enteredAt < ack.enteredAt);
    const wrote = before.findLast((call) => isLogWrite(call) && !notes.has(call));
    const wroteAt = wrote?.leftAt ?? Number.POSITIVE_INFINITY;
    const isSynced = before.some(
      (call) =>
        isLogSync(call) &&
        call.result === "0" &&
        call.enteredAt > wroteAt &&
        call.leftAt < ack.enteredAt,
    );
    return !isSynced;
  });
}

/** Writes to the log of the transactions that record a job of the disk guard, each a transaction of its own. */
function writesOfNotes(calls: readonly TracedCall[]): ReadonlySet<TracedCall> {
  const notes = new Set<TracedCall>();
  let transaction: TracedCall[] = [];
  for (const call of calls.filter((one) => isLogWrite(one) || isLogSync(one))) {
    const hasFailed = call.result.startsWith("-1");
    if (isLogWrite(call) && !hasFailed) {
      transaction.push(call);
      continue;
    }
    if (transaction.some(({ args }) => args.includes("disk-guard"))) {
      transaction.forEach((write) => notes.add(write));
    }
    transaction = [];
  }
  return notes;
}
