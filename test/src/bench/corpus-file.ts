import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";

import { generateLines } from "../corpus/generate.ts";

const LF = 10;

/** 22 November 2026, 08:00 UTC, at a busy host's pace. */
const CORPUS = {
  kind: "syslog",
  startUs: Date.UTC(2026, 10, 22, 8) * 1000,
  linesPerSecond: 500,
} as const;

export interface CorpusFile {
  readonly file: string;
  readonly bytes: number;
  readonly lines: number;
}

/** A file of so many bytes of syslog, or a line more, in a folder that is made where it is not there. */
export async function writeCorpus(
  file: string,
  sizeBytes: number,
  seed: number,
): Promise<CorpusFile> {
  await mkdir(dirname(file), { recursive: true });
  const output = createWriteStream(file);
  let bytes = 0;
  let lines = 0;
  for (const chunk of corpusChunks(sizeBytes, seed)) {
    bytes += chunk.length;
    for (let at = chunk.indexOf(LF); at !== -1; at = chunk.indexOf(LF, at + 1)) {
      lines += 1;
    }
    if (!output.write(chunk)) {
      await once(output, "drain");
    }
  }
  output.end();
  await once(output, "finish");
  return { file, bytes, lines };
}

/** The same lines, in chunks of about 1 MiB. */
export function corpusChunks(sizeBytes: number, seed: number): Generator<Buffer> {
  return generateLines({ ...CORPUS, seed, bytes: sizeBytes });
}
