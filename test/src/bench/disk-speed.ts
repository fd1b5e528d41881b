import { closeSync, fdatasyncSync, openSync, writeSync } from "node:fs";

/**
 * Writes messages to a new file in groups, each made durable before the next begins, as a log that
 * does nothing else would. Returns how long it took, in milliseconds.
 */
export function writeDurably(
  path: string,
  messages: readonly Uint8Array[],
  groupBytes: readonly number[],
): number {
  const file = openSync(path, "wx");
  try {
    const startedMs = performance.now();
    let next = 0;
    for (const target of groupBytes) {
      for (let written = 0; written < target && next < messages.length; next++) {
        const message = messages[next] ?? Buffer.alloc(0);
        writeSync(file, message);
        written += message.length;
      }
      fdatasyncSync(file);
    }
    return performance.now() - startedMs;
  } finally {
    closeSync(file);
  }
}
