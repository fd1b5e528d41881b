import * as fc from "fast-check";
import { expect, test } from "vitest";
import { type Step, steps } from "./model-steps.ts";
import { compareAll } from "./model-store.ts";
import { ModelWorld, type Rules, RULES } from "./model-world.ts";

const history = fc.record({ files: fc.integer({ min: 1, max: 3 }), steps });

test("whatever befalls the two and the network between them, each line is stored once and in order", () => {
  fc.assert(
    fc.property(history, ({ files, steps: taken }) => {
      const world = new ModelWorld(files, RULES);
      world.run(taken);
      world.heal();
    }),
    { numRuns: 2500 },
  );
}, 30_000);

/** What no transport does: a message that vanishes, and one that outlives its connection. */
function isUnnatural(step: Step): boolean {
  return step.do === "lose" || (step.do === "to-collector" && step.age > 0);
}

test("where messages are lost only with their connection, the agent never waits in vain for an ack", () => {
  fc.assert(
    fc.property(history, ({ files, steps: taken }) => {
      const world = new ModelWorld(files, RULES);
      world.run(taken.filter((step) => !isUnnatural(step)));
      expect(world.heal()).toBe(0);
    }),
    { numRuns: 1500 },
  );
}, 30_000);

/** Rules of which one is broken, and what the model says about it. */
const broken: ReadonlyArray<[string, Partial<Rules>, RegExp]> = [
  [
    "frames of an older epoch are taken where ordinal and seq fit",
    { compare: (stored, frame) => compareAll({ ...stored, epoch: frame.epoch }, frame) },
    /not a prefix/,
  ],
  [
    "the ordinal is not compared",
    { compare: (stored, frame) => compareAll({ ...stored, ordinal: frame.ordinal }, frame) },
    /not a prefix/,
  ],
  [
    "the sequence number is not compared",
    { compare: (stored, frame) => compareAll({ ...stored, nextSeq: frame.firstSeq }, frame) },
    /do not follow each other/,
  ],
  [
    "frames of an older epoch are answered with a reset",
    {
      compare: (stored, frame) => {
        const fit = compareAll(stored, frame);
        return fit === "stale" ? "misplaced" : fit;
      },
    },
    /more resets than failures/,
  ],
  ["the ack leaves before the commit", { acksAfterCommit: false }, /not committed/],
  [
    "a frame is placed though its stream was rewound since",
    { placeTellsRewinds: false },
    /not a prefix/,
  ],
];

test.each(broken)(
  "the model notices when %s",
  (_, rule, complaint) => {
    const found = fc.check(
      fc.property(history, ({ files, steps: taken }) => {
        try {
          new ModelWorld(files, { ...RULES, ...rule }).run(taken);
        } catch (error) {
          // A broken rule may show in several ways; the one that harms has to be among them.
          fc.pre(complaint.test(String(error)));
          throw error;
        }
      }),
      { numRuns: 20_000, seed: 1, endOnFailure: true },
    );
    expect(String(found.errorInstance)).toMatch(complaint);
  },
  30_000,
);
