import { parseQuery, requiredWordSets } from "@sluice/query";
import { expect, test } from "vitest";

import { explainSearch, type Explanation } from "../../src/output/explain.ts";
import { SUMMARY } from "../fake-reader.ts";

function explanation(filter: string, summary = SUMMARY): Explanation {
  const query = parseQuery(filter);
  if (!query.ok) {
    throw new Error(query.error.message);
  }
  const words = requiredWordSets(query.value.filter);
  return { filter, words, summary, answerBytes: 4_100, isColored: false };
}

const LARGE = {
  ...SUMMARY,
  rows: 17,
  elapsedMs: 12.34,
  bytesRead: 4_200_000,
  plan: {
    streamsTotal: 40,
    streamsLeft: 12,
    segmentsTotal: 9,
    segmentsLeft: 3,
    blocksTotal: 9_600,
    blocksInTimeRange: 1_204,
    blocksOfSeverity: 1_100,
    blocksWithWords: 4,
    blocksCounted: 0,
    blocksLeft: 4,
    phasesMs: { plan: 1.2, read: 6.4, scan: 2.1, render: 0.3 },
  },
};

test("each step says what it left, and each phase how long it took", () => {
  expect(explainSearch(explanation("refused (timeout or down) level:>=warn", LARGE)))
    .toMatchInlineSnapshot(`
    "filter   refused (timeout or down) level:>=warn
    words    refused (timeout or down)

    STEP                                LEFT     OF
    streams                               12     40
    segments                               3      9
    blocks of them, in the time range  1,204  9,600  ██▌
      with the severities              1,100  1,204  ██▎
      with the words                       4  1,100  ▏
      read                                 4      4  ▏

    PHASE                         TIME
    plan: find the blocks       1.2 ms  ██▍
    read: fetch and decompress  6.4 ms  ████████████▊
    scan: look for matches      2.1 ms  ████▎
    render: write the rows      0.3 ms  ▋

    read     4.2 MB of records, uncompressed
    answer   17 rows, 4.1 kB
    time     12.3 ms
    "
  `);
});

test("a filter that asks for no whole word says so", () => {
  expect(explainSearch(explanation("*"))).toContain("words    none that every match has to hold");
});

test("blocks that were counted without being read have a step of their own", () => {
  const plan = { ...LARGE.plan, blocksCounted: 3, blocksLeft: 1 };
  expect(explainSearch(explanation("*", { ...LARGE, plan }))).toMatch(
    /counted without reading +3 +4/,
  );
});

test("damaged blocks are told", () => {
  expect(explainSearch(explanation("*", { ...LARGE, damaged: 2 }))).toContain(
    "damaged  2 blocks could not be decoded",
  );
});
