import { describe, expect, it } from "vitest";

import { accountForCuts, type CutAccount } from "../../src/logrotate/cut-account.ts";
import { NumberedLines } from "../../src/numbered-lines.ts";
import type { StoredGap } from "../../src/stored.ts";

const lines = new NumberedLines(7, 40);
const WRITTEN = 12;

function bytesOf(from: number, to: number): Buffer {
  let text = "";
  for (let line = from; line < to; line++) text += lines.line(line);
  return Buffer.from(text, "latin1");
}

function gapOf(bytes: number): StoredGap {
  const range = { fromByte: 0, bytes };
  return { source: "/log", generation: 1, cause: "truncated", range, detail: "" };
}

interface Case {
  /** Lines 4 and 5 are in neither file, unless the case says otherwise. */
  readonly copy?: Buffer;
  readonly log?: Buffer;
  readonly stored?: readonly Buffer[];
  readonly gapBytes?: number;
}

function account({ copy, log, stored, gapBytes }: Case): CutAccount {
  const files = [
    { name: "app.log.1", bytes: copy ?? bytesOf(0, 4) },
    { name: "app.log", bytes: log ?? bytesOf(6, WRITTEN) },
  ];
  const [first, ...others] = stored ?? [bytesOf(0, 4), bytesOf(6, WRITTEN)];
  const gaps = gapBytes === undefined ? [] : [gapOf(gapBytes)];
  return accountForCuts({ lines, written: WRITTEN, files }, [
    { generation: 1, bytes: first ?? Buffer.alloc(0), gaps },
    ...others.map((bytes, i) => ({ generation: i + 2, bytes, gaps: [] })),
  ]);
}

const DESTROYED = bytesOf(4, 6).length;
const PART = 3;

describe("the account of a log that was copied and cut", () => {
  it("tells what was destroyed from the files that are left", () => {
    expect(account({})).toEqual({
      storedLines: WRITTEN - 2,
      cuts: 1,
      destroyedBytes: DESTROYED,
      savedBytes: 0,
      missingBytes: DESTROYED,
      missingLines: 2,
      gapBytes: 0,
      problems: [],
    });
  });

  it("counts what was read before it was destroyed, and what the agent says is lost", () => {
    const stored = [bytesOf(0, 5), bytesOf(6, WRITTEN)];
    expect(account({ stored, gapBytes: lines.line(5).length })).toMatchObject({
      savedBytes: lines.line(4).length,
      missingBytes: lines.line(5).length,
      gapBytes: lines.line(5).length,
      problems: [],
    });
  });

  it("allows for a copy that ends within a line", () => {
    const copy = bytesOf(0, 5).subarray(0, -PART);
    const stored = [Buffer.concat([copy, Buffer.from("\n")]), bytesOf(6, WRITTEN)];
    expect(account({ copy, stored })).toMatchObject({
      destroyedBytes: lines.line(5).length + PART,
      savedBytes: 0,
      missingBytes: lines.line(5).length + PART,
      problems: [],
    });
  });

  it.each<[string, Case, RegExp]>([
    ["in the copy", { copy: bytesOf(0, 5) }, /bytes of line 4 are not stored, and stand in a file/],
    ["in the log", { log: bytesOf(5, WRITTEN) }, /of line 5 are not stored, and stand in a file/],
    [
      "in the copy, a part of it",
      { copy: bytesOf(0, 5).subarray(0, -PART) },
      /^\d+ of \d+ bytes of line 4 are not stored, and stand in a file/,
    ],
    [
      "at the end",
      { stored: [bytesOf(0, 4), bytesOf(6, WRITTEN - 1)] },
      /of line 11 are not stored/,
    ],
  ])("finds a line that is missing though it stands %s", (_, each, problem) => {
    expect(account(each).problems[0]).toMatch(problem);
  });

  it.each<[string, Case, RegExp]>([
    [
      "a gap of more than is missing",
      { gapBytes: DESTROYED + 1 },
      /gaps of \d+ bytes before line 6/,
    ],
    ["a line twice", { stored: [bytesOf(0, 4), bytesOf(3, WRITTEN)] }, /line 3 where 4 was due/],
    [
      "a hole in a generation",
      { stored: [Buffer.concat([bytesOf(0, 2), bytesOf(3, 4)])] },
      /2 was/,
    ],
    ["a file that says something else", { copy: Buffer.from("7:0 x\n") }, /app\.log\.1 holds/],
    ["a line in two files", { copy: bytesOf(0, 7) }, /two files hold the bytes/],
  ])("finds %s", (_, each, problem) => {
    expect(account(each).problems[0]).toMatch(problem);
  });
});
