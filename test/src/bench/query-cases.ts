import type { SearchRequest } from "@sluice/store";

import type { Prng } from "../corpus/prng.ts";
import type { StoredCorpus } from "./stored-corpus.ts";

/** One question, asked of the store and, where it can be, of grep. */
export interface QueryRun {
  readonly request: Pick<SearchRequest, "query" | "limit">;
  /** Arguments of `grep -c`; undefined where nothing that grep can count corresponds. */
  readonly grep: readonly string[] | undefined;
  /** What the store must answer: rows, or the sum of a table's `count`. Undefined: what grep counts. */
  readonly expected: number | undefined;
}

/** A kind of question, asked anew in each iteration with another needle. */
export interface QueryCase {
  readonly name: string;
  readonly iterations: number;
  /** Aims of the median in milliseconds, by the size of the corpus. */
  readonly aimMs: Readonly<Record<string, number>>;
  readonly run: (iteration: number) => QueryRun;
}

const NEEDLES = 25;
const PER_GB = "1 GB";
const PER_10_GB = "10 GB";

/** The questions of the issue, over one corpus. */
export function queryCases(
  corpus: StoredCorpus,
  prng: Prng,
  repeats: number,
): readonly QueryCase[] {
  return [...needleCases(corpus, prng), ...scanCases(corpus, repeats)];
}

/** Ids that occur once, a new one each time. */
export function needleCases({ needles }: StoredCorpus, prng: Prng): readonly QueryCase[] {
  const order = needles
    .map((needle) => ({ needle, at: prng.uint32() }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ needle }) => needle);
  const needleAt = (i: number): { readonly ref: string; readonly number: number } =>
    order[i % order.length] ?? { ref: "", number: 0 };
  const aimMs = { [PER_GB]: 10, [PER_10_GB]: 30 };
  return [
    {
      name: "needle: word id",
      iterations: NEEDLES,
      aimMs,
      run: (i) => idQuery(needleAt(2 * i).ref, 1),
    },
    {
      name: "needle: numeric id",
      iterations: NEEDLES,
      aimMs,
      run: (i) => idQuery(String(needleAt(2 * i + 1).number), 1),
    },
    {
      name: "needle: id that is nowhere",
      iterations: NEEDLES,
      aimMs: {},
      run: () => idQuery((prng.uint32() * 2 ** 20 + 2 ** 51).toString(16).padStart(16, "f"), 0),
    },
  ];
}

function scanCases(corpus: StoredCorpus, repeats: number): readonly QueryCase[] {
  const { records, failedTransfers } = corpus;
  return [
    {
      name: "common word, newest 100",
      iterations: 4 * repeats,
      aimMs: { [PER_GB]: 20 },
      run: (i) => ({
        request: {
          query: pick(["failed", "session", "GET", "orders", "info", "user"], i),
          limit: 100,
        },
        grep: undefined,
        expected: 100,
      }),
    },
    {
      name: "substring, count",
      iterations: repeats,
      aimMs: { [PER_GB]: 800 },
      run: (i) => {
        const text = pick(["uthenticat", "isconnect", "nvalid use", "ouseke", "erchec"], i);
        return count(`*"${text}"*`, "", ["-F", text]);
      },
    },
    {
      name: "count by host, all",
      iterations: 4 * repeats,
      aimMs: { [PER_GB]: 50 },
      run: () => count("*", " by host", undefined, records),
    },
    {
      name: "count by host, filtered",
      iterations: repeats,
      aimMs: { [PER_GB]: 900 },
      run: (i) => {
        const word = pick(["preauth", "publickey", "traceId", "rhost"], i);
        return count(word, " by host", ["-wF", word]);
      },
    },
    {
      name: "regex alternation, rare",
      iterations: repeats,
      aimMs: { [PER_GB]: 1200 },
      run: (i) => {
        const outcomes = pick(
          [
            "declined|reversed|disputed",
            "reversed|disputed|declined",
            "disputed|declined|reversed",
          ],
          i,
        );
        // Behind the number in three kinds of log, in JSON right behind the word.
        const pattern = `transfers?[ /]([0-9]+[ /])?(${outcomes})`;
        return count(`/${pattern.replaceAll("/", "\\/")}/`, "", ["-E", pattern], failedTransfers);
      },
    },
    {
      name: "regex alternation, frequent",
      iterations: repeats,
      aimMs: { [PER_GB]: 1200 },
      run: (i) => {
        const users = pick(["root|admin|oracle", "root|ubuntu|test", "deploy|git|postgres"], i);
        const pattern = `(Failed|Accepted) (password|publickey) for (invalid user )?(${users})`;
        return count(`/${pattern}/`, "", ["-E", pattern]);
      },
    },
    {
      name: "field of JSON, count by host",
      iterations: repeats,
      aimMs: { [PER_GB]: 1030 },
      run: (i) => {
        const least = pick([800, 700, 600], i);
        const digit = least / 100;
        return count(`durationMs:>=${least}`, " by host", [
          "-E",
          `"durationMs":([${digit}-9][0-9]{2}|[0-9]{4,})[.,]`,
        ]);
      },
    },
  ];
}

function idQuery(word: string, expected: number): QueryRun {
  return { request: { query: word, limit: 100 }, grep: ["-F", word], expected };
}

function count(
  filter: string,
  by: string,
  grep: readonly string[] | undefined,
  expected?: number,
): QueryRun {
  return { request: { query: `${filter} | stats count()${by}` }, grep, expected };
}

function pick<T>(choices: readonly [T, ...T[]], i: number): T {
  return choices[i % choices.length] ?? choices[0];
}
