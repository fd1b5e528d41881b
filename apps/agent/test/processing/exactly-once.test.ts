import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import type { ProcessingSettings } from "../../src/agent-settings.ts";
import { decodeStreamCursor, unaccountedBytes } from "../../src/stream-ledger.ts";
import { Folder } from "../folder.ts";
import { MemoryReader, offsetOf } from "../memory-reader.ts";
import { type Fate, ModelCollector } from "../model-collector.ts";
import { multiline } from "./framing.ts";

let folder: Folder;

beforeEach(() => {
  folder = new Folder();
});

afterEach(() => folder[Symbol.dispose]());

const anyFates = fc.array(
  fc.constantFrom<Fate>("acknowledged", "late", "corrupt", "lost", "unacknowledged"),
  { maxLength: 25 },
);
const anyLines = fc.array(fc.boolean(), { minLength: 1, maxLength: 60 });

/** Numbered lines, some of which continue the one in front. */
function textOf(lines: readonly boolean[]): string {
  return lines.map((continues, i) => `${continues ? " " : ""}line ${i}\n`).join("");
}

/** Ships a file that grows now and then, with pauses as long as `max_wait`. */
async function ship(
  text: string,
  fates: readonly Fate[],
  parts: readonly number[],
  processing: ProcessingSettings,
): Promise<ModelCollector> {
  const reader = new MemoryReader("", () => 37);
  const collector = new ModelCollector([reader], fates, folder.path, processing);
  collector.connect();
  let at = 0;
  for (const bytes of parts) {
    reader.append(text.slice(at, at + bytes));
    at += bytes;
    await new Promise((resolve) => {
      setTimeout(resolve, bytes % 4);
    });
  }
  reader.append(text.slice(at));
  reader.end({ kind: "ended", reason: "rotated" });
  await collector.untilFinished();
  return collector;
}

function accountOf(collector: ModelCollector, text: string): Record<string, number> {
  const [stored] = collector.stored;
  const cursor = stored?.cursor ?? new Uint8Array();
  const { counts } = decodeStreamCursor(cursor);
  expect(offsetOf(cursor)).toBe(text.length);
  return {
    unaccounted: unaccountedBytes(counts, offsetOf(cursor)),
    stored: counts.storedBytes,
    filtered: counts.filteredBytes,
    filteredRecords: counts.filteredRecords,
  };
}

describe("records that are gathered by time, through any rewinds", () => {
  it("hold each byte of the file exactly once", async () => {
    const processing = {
      multiline: multiline({ start: undefined, continue: "^ " }, { maxWaitMs: 1 }),
    };
    await fc.assert(
      fc.asyncProperty(
        anyLines,
        anyFates,
        fc.array(fc.integer({ min: 1, max: 60 }), { maxLength: 8 }),
        async (lines, fates, parts) => {
          const text = textOf(lines);
          await using collector = await ship(text, fates, parts, processing);
          expect(collector.events).toEqual([]);
          // Where a record ends is a matter of time; what all of them say is not.
          const bodies = collector.stored[0]?.records.map(({ body }) => `${body}\n`);
          expect(bodies?.join("")).toBe(text);
          expect(accountOf(collector, text)).toEqual({
            unaccounted: 0,
            stored: text.length,
            filtered: 0,
            filteredRecords: 0,
          });
        },
      ),
      { numRuns: 25 },
    );
  });
});

describe("records that are sampled, through any rewinds", () => {
  it("are the same ones as without any, and those that were dropped are accounted for", async () => {
    const processing = { sample: { keep: 0.5, unless: undefined } };
    await fc.assert(
      fc.asyncProperty(anyLines, anyFates, async (lines, fates) => {
        const text = textOf(lines);
        await using lucky = await ship(text, [], [], processing);
        await using collector = await ship(text, fates, [50, 50], processing);
        expect(collector.events).toEqual([]);
        const records = collector.stored[0]?.records ?? [];
        expect(records).toEqual(lucky.stored[0]?.records);
        const storedBytes = records.reduce((sum, { body }) => sum + body.length + 1, 0);
        expect(accountOf(collector, text)).toEqual({
          unaccounted: 0,
          stored: storedBytes,
          filtered: text.length - storedBytes,
          filteredRecords: lines.length - records.length,
        });
      }),
      { numRuns: 25 },
    );
  });
});
