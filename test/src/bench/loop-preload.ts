/**
 * Loaded into a process that is measured (`node --import`): how late its event loop runs a timer
 * that is due every 10 ms. Each second a line of JSON goes to the file that SLUICE_BENCH_LOOP names.
 */
import { appendFileSync } from "node:fs";

const SAMPLE_MS = 10;
const SAMPLES_PER_LINE = 100;

const path = process.env["SLUICE_BENCH_LOOP"];
let lateMs: number[] = [];

function sample(dueMs: number): void {
  const nowMs = performance.now();
  lateMs.push(Math.max(0, Math.round((nowMs - dueMs) * 10) / 10));
  if (lateMs.length >= SAMPLES_PER_LINE && path !== undefined) {
    appendFileSync(path, `${JSON.stringify(lateMs)}\n`);
    lateMs = [];
  }
  const nextMs = performance.now() + SAMPLE_MS;
  setTimeout(() => sample(nextMs), SAMPLE_MS).unref();
}

sample(performance.now());
