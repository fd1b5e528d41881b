import * as fc from "fast-check";

export type Step =
  | { readonly do: "write"; readonly file: number; readonly lines: readonly number[] }
  | {
      readonly do: "read";
      readonly file: number;
      readonly kind: "batch" | "advance";
      readonly linesOfRecords: readonly number[];
    }
  | { readonly do: "send"; readonly most: number }
  /** `age` 0: the newest connection; 1: the one before, of which the agent knows nothing any more. */
  | { readonly do: "to-collector"; readonly age: number; readonly most: number }
  | { readonly do: "to-agent"; readonly most: number }
  | { readonly do: "commit" }
  | { readonly do: "connect" }
  | { readonly do: "drop" }
  | { readonly do: "fence" }
  | { readonly do: "sync-checkpoints" }
  | { readonly do: "crash-agent" }
  | { readonly do: "crash-collector"; readonly commits: boolean }
  | { readonly do: "back-up" }
  | { readonly do: "restore" }
  | { readonly do: "credit"; readonly bytes: number }
  /** Befalls the next message of frames that arrives. */
  | { readonly do: Mishap };

export type Mishap = "damage" | "shed" | "lose" | "poison" | "skew";

const file = fc.nat({ max: 2 });
const most = fc.integer({ min: 1, max: 4 });

const write: fc.Arbitrary<Step> = fc.record({
  do: fc.constant("write" as const),
  file,
  lines: fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 16 }),
});

const read: fc.Arbitrary<Step> = fc.record({
  do: fc.constant("read" as const),
  file,
  kind: fc.constantFrom("batch" as const, "batch" as const, "batch" as const, "advance" as const),
  linesOfRecords: fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 3 }),
});

const send: fc.Arbitrary<Step> = fc.record({ do: fc.constant("send" as const), most });

const toCollector: fc.Arbitrary<Step> = fc.record({
  do: fc.constant("to-collector" as const),
  age: fc.constantFrom(0, 0, 1),
  most,
});

const toAgent: fc.Arbitrary<Step> = fc.record({ do: fc.constant("to-agent" as const), most });

function plain<T extends Step["do"]>(name: T): fc.Arbitrary<{ readonly do: T }> {
  return fc.constant({ do: name });
}

/** What befalls the two, from the harmless to the rare. */
const fault: fc.Arbitrary<Step> = fc.oneof(
  { weight: 2, arbitrary: plain("drop") },
  { weight: 2, arbitrary: plain("fence") },
  { weight: 2, arbitrary: plain("crash-agent") },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("crash-collector" as const),
      commits: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: plain("back-up") },
  { weight: 1, arbitrary: plain("restore") },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("credit" as const),
      bytes: fc.constantFrom(0, 1, 50, 200, 200, 1000),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constantFrom<Mishap>("damage", "shed", "lose", "poison", "skew"),
    }),
  },
);

/** The steps that take a greeting through: without them most histories never get to a frame. */
const GREETING: readonly Step[] = [
  { do: "connect" },
  { do: "to-collector", age: 0, most: 9 },
  { do: "commit" },
  { do: "to-agent", most: 9 },
  { do: "to-collector", age: 0, most: 9 },
  { do: "commit" },
  { do: "to-agent", most: 9 },
];

/** What was read gets to the store, and the ack back. */
const ROUND: readonly Step[] = [
  { do: "send", most: 4 },
  { do: "to-collector", age: 0, most: 9 },
  { do: "commit" },
  { do: "to-agent", most: 9 },
];

function one(step: fc.Arbitrary<Step>): fc.Arbitrary<Step[]> {
  return step.map((taken) => [taken]);
}

/** A history: reading and sending, step by step or in one go, and faults at any place between. */
export const steps: fc.Arbitrary<Step[]> = fc
  .tuple(
    write,
    fc.array(
      fc.oneof(
        { weight: 6, arbitrary: one(write) },
        { weight: 14, arbitrary: one(read) },
        { weight: 8, arbitrary: one(send) },
        { weight: 7, arbitrary: one(toCollector) },
        { weight: 4, arbitrary: one(toAgent) },
        { weight: 5, arbitrary: one(plain("commit")) },
        { weight: 1, arbitrary: one(plain("sync-checkpoints")) },
        { weight: 3, arbitrary: fc.constant([...GREETING]) },
        { weight: 1, arbitrary: fc.constant<Step[]>([{ do: "drop" }, ...GREETING]) },
        { weight: 8, arbitrary: fc.constant([...ROUND]) },
        { weight: 5, arbitrary: one(fault) },
      ),
      { minLength: 10, maxLength: 120, size: "max" },
    ),
  )
  .map(([first, parts]) => [first, ...GREETING, ...parts.flat()]);
