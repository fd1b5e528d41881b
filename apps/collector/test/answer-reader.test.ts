import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import {
  ANSWER_MARKS,
  type AnswerPart,
  FOLLOW_MARKS,
  readBodies,
  readLines,
} from "../src/client/answer-reader.ts";
import { SUMMARY } from "./fake-reader.ts";

/** The bytes in pieces that end at the given places. */
async function* cut(bytes: Buffer, places: readonly number[]): AsyncGenerator<Buffer> {
  let start = 0;
  for (const place of [...places].sort((a, b) => a - b)) {
    yield bytes.subarray(start, place);
    start = Math.max(start, place);
  }
  yield bytes.subarray(start);
}

/** Rows as one text, as they may come in any number of pieces; the other parts in their order. */
async function collect(
  parts: AsyncIterable<AnswerPart>,
): Promise<{ rows: Buffer; others: AnswerPart[] }> {
  const rows: Uint8Array[] = [];
  const others: AnswerPart[] = [];
  for await (const part of parts) {
    if (part.kind === "rows") {
      rows.push(part.bytes);
    } else {
      others.push(part);
    }
  }
  return { rows: Buffer.concat(rows), others };
}

const PROGRESS = { blocksRead: 1, blocksTotal: 2, bytesRead: 3 };
const places = (length: number) => fc.array(fc.nat(length), { maxLength: 8 });

describe("an answer, cut anywhere", () => {
  const rows = ['{"body":"{\\"end\\":{"}', '{"end":"a text"}', '{"time":"x","body":"é"}'];
  const text = [
    JSON.stringify({ progress: PROGRESS }),
    rows[0],
    rows[1],
    JSON.stringify({ progress: PROGRESS }),
    rows[2],
    JSON.stringify({ end: SUMMARY }),
    "",
  ].join("\n");
  const bytes = Buffer.from(text);

  test("gives its rows byte for byte and its other lines in their order", async () => {
    await fc.assert(
      fc.asyncProperty(places(bytes.length), async (at) => {
        const parts = await collect(readLines(cut(bytes, at), ANSWER_MARKS));
        expect(parts.rows.toString()).toBe(`${rows.join("\n")}\n`);
        expect(parts.others).toEqual([
          { kind: "progress", progress: PROGRESS },
          { kind: "progress", progress: PROGRESS },
          { kind: "end", summary: SUMMARY },
        ]);
      }),
    );
  });

  test("that was cut off has no end, and no row that is not whole", async () => {
    for (let length = 0; length < bytes.length; length++) {
      const parts = await collect(readLines(cut(bytes.subarray(0, length), []), ANSWER_MARKS));
      expect(parts.others.every(({ kind }) => kind === "progress")).toBe(true);
      expect(parts.rows.length === 0 || parts.rows.at(-1) === 0x0a).toBe(true);
    }
  });
});

test("bodies come off their frames whatever they hold and wherever they are cut", async () => {
  const bodies = [Buffer.from('{"end":{}}\n\n'), Buffer.from([0xff, 0x0a, 0x00, 0x0a])];
  const frames = bodies.flatMap((body) => [Buffer.from(`{"bodies":${body.length}}\n`), body]);
  const end = Buffer.from(`${JSON.stringify({ end: SUMMARY })}\n`);
  const bytes = Buffer.concat([...frames, end]);
  await fc.assert(
    fc.asyncProperty(places(bytes.length), async (at) => {
      const parts = await collect(readBodies(cut(bytes, at)));
      expect(parts.rows).toEqual(Buffer.concat(bodies));
      expect(parts.others).toEqual([{ kind: "end", summary: SUMMARY }]);
    }),
  );
});

test("a live view is rows and cursors", async () => {
  const text = '{"cursor":1,"behind":0}\n{"time":"a"}\n{"time":"b"}\n{"cursor":2,"behind":9}\n';
  const parts: AnswerPart[] = [];
  for await (const part of readLines(cut(Buffer.from(text), []), FOLLOW_MARKS)) {
    parts.push(part);
  }
  expect(parts).toEqual([
    { kind: "cursor", cursor: 1, behind: 0 },
    { kind: "rows", bytes: Buffer.from('{"time":"a"}\n{"time":"b"}\n') },
    { kind: "cursor", cursor: 2, behind: 9 },
  ]);
});

test("a line without an end is given up before it fills the memory", async () => {
  const endless = async function* (): AsyncGenerator<Buffer> {
    const chunk = Buffer.alloc(16 * 1024 * 1024, 0x61);
    for (let sent = 0; sent < 16; sent++) {
      yield chunk;
    }
  };
  await expect(collect(readLines(endless(), ANSWER_MARKS))).rejects.toThrow("without an end");
});
