import { parseQuery, compileFilter } from "@sluice/query";
import type { TimeUs } from "@sluice/quantity";
import { type RetentionPolicyInput, retentionPolicySchema } from "@sluice/retention";
import { describe, expect, it } from "vitest";

import type { Run } from "../../src/block/run.ts";
import { RecordSieve, type Sifted } from "../../src/maintenance/record-sieve.ts";
import { type ActiveDelete, Visibility } from "../../src/manifest/visibility.ts";
import { runFacts } from "../../src/segment/run-facts.ts";
import { line, runOf } from "../block/runs.ts";

const STREAM = {
  streamId: 1,
  agentId: "a",
  source: "/log",
  generation: 1,
  host: "web-1",
  labels: '{"env":"prod"}',
};

/** Records of these severities: number n has the body `n`, and came at 100 up to the third, then at 200. */
function run(...severities: readonly number[]): Run {
  const records = severities.map((severity, n) => ({
    timeUs: n,
    severity,
    body: Buffer.from(String(n)),
    attributes: undefined,
  }));
  const first = Math.min(3, severities.length);
  return {
    ...runOf(records),
    arrivals: [
      { count: first, receivedUs: 100, batchId: 1 },
      { count: severities.length - first, receivedUs: 200, batchId: 2 },
    ].filter(({ count }) => count > 0),
  };
}

function visibility(
  policy: RetentionPolicyInput,
  cutoffs: Record<string, number> = {},
): Visibility {
  return new Visibility(
    JSON.stringify({
      policy: retentionPolicySchema.parse(policy),
      cutoffs: cutoffs as unknown as TimeUs,
    }),
  );
}

function deletion(query: string, rest: Partial<ActiveDelete> = {}): ActiveDelete {
  const parsed = parseQuery(query);
  if (!parsed.ok) {
    throw new Error(parsed.error.message);
  }
  const filter = compileFilter(parsed.value.filter);
  const times = { fromUs: -Infinity, untilUs: Infinity, receivedUs: 1_000 };
  return { id: 1, query, issuedUs: 1, filter, ...times, isReplay: false, ...rest };
}

/** Seqs by partition, and what was left out. */
function told({ parts, expired, deleted }: Sifted): unknown {
  return {
    parts: Array.from(parts, ([partition, { seqs }]) => [partition, [...seqs]]),
    expired,
    deleted,
  };
}

const ERRORS = { rules: [{ match: { level: ">=error" } }] };
const ERRORS_PARTITION = [
  ...visibility(ERRORS).partitions({ host: "", source: "", labels: {} }),
][17];

describe("the sieve", () => {
  it("leaves a run as it is where there is nothing to tell its records apart", () => {
    const whole = run(9, 9, 17);
    const { parts } = new RecordSieve(new Visibility(undefined), []).sift(whole, STREAM);
    expect(parts.get("default")).toBe(whole);
  });

  it("sorts records into partitions by the rule that they belong to", () => {
    const sieve = new RecordSieve(visibility(ERRORS), []);
    expect(told(sieve.sift(run(9, 17, 9, 21, 5), STREAM))).toEqual({
      parts: [
        ["default", [0, 2, 4]],
        [ERRORS_PARTITION, [1, 3]],
      ],
      expired: 0,
      deleted: 0,
    });
    const whole = run(17, 21);
    expect(sieve.sift(whole, STREAM).parts.get(ERRORS_PARTITION ?? "")).toBe(whole);
  });

  it("names the partition of a rule for what it matches, wherever it stands", () => {
    const later = visibility({ rules: [{ match: { host: "other" } }, ...ERRORS.rules] });
    expect(later.partitions({ host: "web-1", source: "", labels: {} })[17]).toBe(ERRORS_PARTITION);
    expect(ERRORS_PARTITION).toMatch(/^rule-[0-9a-f]{12}$/);
  });

  it.each([
    [100, 100, [0, 1, 2, 3, 4], 0],
    [101, 100, [1, 3, 4], 2],
    [101, 101, [3, 4], 3],
    [201, 200, [3], 4],
    [201, 201, [], 5],
  ])(
    "leaves out what came before its cutoff: %i, and %i for errors",
    (others, errors, kept, expired) => {
      const sieve = new RecordSieve(visibility(ERRORS, { default: others, 0: errors }), []);
      const sifted = sieve.sift(run(9, 17, 9, 17, 9), STREAM);
      const seqs = [...sifted.parts.values()].flatMap((part) => [...part.seqs]);
      expect(seqs.toSorted((a, b) => a - b)).toEqual(kept);
      expect(sifted).toMatchObject({ expired, deleted: 0 });
    },
  );

  it.each<[string, ActiveDelete, number[]]>([
    ["everything", deletion("*"), []],
    ["by text", deletion("3"), [0, 1, 2, 4]],
    ["by severity", deletion("level:>=error"), [0, 2, 4]],
    ["by stream", deletion("host:web-1 env:prod"), []],
    ["of another stream", deletion("host:web-2"), [0, 1, 2, 3, 4]],
    ["in a time range", deletion("*", { fromUs: 1, untilUs: 3 }), [0, 3, 4]],
    ["of what came until then", deletion("*", { receivedUs: 199 }), [3, 4]],
    ["of what came before any of it", deletion("*", { receivedUs: 99 }), [0, 1, 2, 3, 4]],
  ])("leaves out what was deleted %s", (_what, one, kept) => {
    const sieve = new RecordSieve(new Visibility(undefined), [one]);
    const sifted = sieve.sift(run(9, 17, 9, 17, 9), STREAM);
    expect([...sifted.parts.values()].flatMap(({ seqs }) => [...seqs])).toEqual(kept);
    expect(sifted).toMatchObject({ expired: 0, deleted: 5 - kept.length });
  });

  it("counts what has expired and was deleted too as expired, once", () => {
    const sieve = new RecordSieve(visibility({}, { default: 150 }), [deletion("*")]);
    expect(told(sieve.sift(run(9, 9, 9, 9), STREAM))).toEqual({
      parts: [],
      expired: 3,
      deleted: 1,
    });
  });

  it("keeps with each record its arrival", () => {
    const sieve = new RecordSieve(new Visibility(undefined), [deletion("1 OR 3")]);
    const part = sieve.sift(run(9, 9, 9, 9, 9), STREAM).parts.get("default");
    expect(part?.arrivals).toEqual([
      { count: 2, receivedUs: 100, batchId: 1 },
      { count: 1, receivedUs: 200, batchId: 2 },
    ]);
  });

  it("takes a run of more arrivals than a call takes arguments", () => {
    const many = runOf(Array.from({ length: 200_000 }, () => line("x")));
    const arrivals = Array.from({ length: 200_000 }, (_, i) => ({
      count: 1,
      receivedUs: i,
      batchId: i,
    }));
    const sieve = new RecordSieve(visibility({}, { default: 10 }), []);
    const { expired, parts } = sieve.sift({ ...many, arrivals }, STREAM);
    expect(expired).toBe(10);
    expect(runFacts(parts.get("default") as Run)).toMatchObject({
      count: 199_990,
      firstReceivedUs: 10,
      lastReceivedUs: 199_999,
      firstBatch: 10,
      lastBatch: 199_999,
    });
  });
});
