import { LineFeed } from "../../src/line-feed.ts";
import { MULTILINE_DEFAULTS } from "../../src/processing/processing-config.ts";
import type { MultilineSettings } from "../../src/processing/processing-settings.ts";
import type { SourceRecord } from "../../src/record-feed.ts";
import { MemoryReader } from "../memory-reader.ts";

export function multiline(
  rule: MultilineSettings["rule"],
  bounds: Partial<MultilineSettings> = {},
): MultilineSettings {
  return { rule, ...MULTILINE_DEFAULTS, ...bounds };
}

/** Every record of a file that has ended, as Latin-1. */
export async function frame(
  content: string | Uint8Array,
  settings: MultilineSettings | undefined,
  nextReadBytes?: () => number,
): Promise<string[]> {
  const reader = new MemoryReader(content, nextReadBytes);
  reader.end({ kind: "ended", reason: "rotated" });
  const records = await readAll(new LineFeed(reader, { multiline: settings }));
  return records.map(({ text }) => text);
}

interface FramedRecord extends SourceRecord {
  /** The body, which the next read may overwrite. */
  readonly text: string;
}

/** Every record of a feed whose stream has ended. */
export async function readAll(feed: LineFeed): Promise<FramedRecord[]> {
  const all: FramedRecord[] = [];
  for (;;) {
    const outcome = await feed.read(new AbortController().signal);
    if (outcome.kind !== "records") {
      return all;
    }
    all.push(
      ...outcome.records.map((record) => ({
        ...record,
        text: Buffer.from(record.body).toString("latin1"),
      })),
    );
  }
}
