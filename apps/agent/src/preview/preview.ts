import { constants, statSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { Failure, sayFailure } from "@sluice/service";
import { Tail } from "tail";

import { LineFeed } from "../line-feed.ts";
import { Processor } from "../processing/processor.ts";
import { encodingOfMark, lineEncoding, MARK_BYTES } from "../transcoder.ts";
import { Stamper } from "../stamp/stamper.ts";
import { readLastLines } from "./last-lines.ts";
import { PreviewReader } from "./preview-reader.ts";
import type { PreviewRules } from "./preview-rules.ts";
import { RecordView } from "./record-view.ts";

export interface PreviewRequest {
  readonly path: string;
  /** How many of the lines that are there are shown first. */
  readonly lines: number;
  readonly follows: boolean;
  readonly rules: PreviewRules;
  readonly hasColor: boolean;
  readonly write: (text: string) => void;
  /** Ends it. */
  readonly signal: AbortSignal;
}

/**
 * Shows how a file would be framed and processed, with the very parts that ship it, and ships
 * nothing. It follows by the npm package `tail`: what that misses at a rotation is missed on a screen.
 *
 * @throws Failure where the file cannot be read
 */
export async function preview(request: PreviewRequest): Promise<void> {
  const { path, lines, follows, rules, hasColor, write, signal } = request;
  const { processing } = rules;
  const view = new RecordView(new Processor(new Stamper(), processing), hasColor);
  await using file = await openLog(path);
  const later: Uint8Array[] = [];
  let take = (bytes: Uint8Array): void => void later.push(bytes);
  // In one turn: where the one ends, the other begins.
  const { size } = statSync(path);
  const tail = follows ? follow(path, (bytes) => take(bytes), signal) : undefined;
  try {
    const { buffer: mark } = await file.read(Buffer.alloc(MARK_BYTES), 0, MARK_BYTES, 0);
    const encoding = rules.encoding ?? encodingOfMark(mark);
    const last = await readLastLines(file, size, lines, lineEncoding(encoding).lineFeedBytes);
    const reader = new PreviewReader(path, size - last.length);
    const feed = new LineFeed(reader, { multiline: processing?.multiline, encoding });
    reader.push(last);
    take = (bytes) => reader.push(bytes);
    later.forEach(take);
    if (!follows) {
      reader.end();
    }
    for (;;) {
      const outcome = await feed.read(signal);
      if (outcome.kind === "records") {
        const readAtUs = Date.now() * 1000;
        write(outcome.records.map((record) => view.show(record, readAtUs)).join(""));
      } else if (outcome.kind === "idle") {
        await feed.changed(signal);
      } else {
        return;
      }
    }
  } catch (error) {
    if (!signal.aborted) {
      throw error;
    }
  } finally {
    tail?.unwatch();
  }
}

function follow(path: string, take: (bytes: Uint8Array) => void, signal: AbortSignal): Tail {
  // One character for each byte, and nothing but LF ends a line: as the agent reads.
  const tail = new Tail(path, { encoding: "latin1", separator: "\n" });
  tail.on("line", (line: string) => take(Buffer.from(`${line}\n`, "latin1")));
  tail.on("error", (error: unknown) => {
    if (!signal.aborted) {
      sayFailure("sluice-agent", `${path}: ${String(error)}`);
    }
  });
  return tail;
}

async function openLog(path: string): Promise<FileHandle> {
  try {
    // A pipe without a writer would be waited for, beyond any signal.
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    if ((await file.stat()).isFile()) {
      return file;
    }
    await file.close();
  } catch (error) {
    throw new Failure(
      `${path}: ${(error as Error).message}`,
      "check the path, and that you may read the file (group adm, or sudo)",
    );
  }
  throw new Failure(`${path} is not a regular file`, "name a log file");
}
