/**
 * A program that appends numbered lines to its logs at a steady rate. SIGHUP makes it open them
 * anew, as daemons do; SIGTERM ends it, and it says how many lines it has written to each.
 */
import { closeSync, openSync, writeSync } from "node:fs";

import { NumberedLines } from "../numbered-lines.ts";
import type { WriterOptions, WriterReport } from "./writer-messages.ts";

const TICK_MS = 5;

const { logs, meanLineBytes, linesPerSecond } = JSON.parse(process.argv[2] ?? "") as WriterOptions;

const writers = logs.map(({ path, file }) => ({
  path,
  lines: new NumberedLines(file, meanLineBytes),
  file: openSync(path, "a"),
  written: 0,
}));

const startMs = performance.now();
const timer = setInterval(() => {
  const due = Math.floor(((performance.now() - startMs) / 1000) * linesPerSecond);
  for (const writer of writers) {
    let text = "";
    while (writer.written < due) text += writer.lines.line(writer.written++);
    const bytes = Buffer.from(text, "latin1");
    for (let at = 0; at < bytes.length;) at += writeSync(writer.file, bytes, at);
  }
}, TICK_MS);

process.on("SIGHUP", () => {
  for (const writer of writers) {
    closeSync(writer.file);
    writer.file = openSync(writer.path, "a");
  }
});

process.once("SIGTERM", () => {
  clearInterval(timer);
  const report: WriterReport = { written: writers.map(({ written }) => written) };
  process.stdout.write(`${JSON.stringify(report)}\n`, () => process.exit(0));
});

process.stdout.write("ready\n");
