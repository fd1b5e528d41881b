import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import type { Interference } from "./log-keeper.ts";
import { anyBatch, anyFilter, DAY_US, MINUTE_US, START_US, STREAMS } from "./log-lines.ts";
import { POLICIES } from "./plain-policy.ts";
import { type Selection, StoreWorld } from "./store-world.ts";

/** More of them by hand: `STORE_MODEL_RUNS=5000 vitest run --project store test/store-model`. */
const RUNS = Number(process.env["STORE_MODEL_RUNS"] ?? 100);
const SEED = process.env["STORE_MODEL_SEED"];

/** What happens to a store, at once. */
type Deed = { readonly name: string; readonly work: (world: StoreWorld) => void };

/** What a job does, and what comes in between. */
interface Between {
  readonly at: Parameters<Interference["happen"]>[0];
  readonly deed: Deed;
}

class Step implements fc.AsyncCommand<StoreWorld, StoreWorld> {
  readonly #name: string;
  readonly #work: (world: StoreWorld) => void | Promise<unknown>;

  constructor(name: string, work: (world: StoreWorld) => void | Promise<unknown>) {
    this.#name = name;
    this.#work = work;
  }

  check(): boolean {
    return true;
  }

  async run(world: StoreWorld): Promise<void> {
    await this.#work(world);
    expect(world.keeper.findings()).toEqual([]);
  }

  toString(): string {
    return this.#name;
  }
}

const anyTimeUs = fc.option(
  fc.oneof(
    fc.integer({ min: -1, max: 14 }).map((n) => START_US + n * MINUTE_US),
    fc.integer({ min: -2, max: 2 }).map((n) => START_US + n * DAY_US),
  ),
  { nil: undefined, freq: 1 },
);
const anySelection: fc.Arbitrary<Selection> = fc.record({
  query: fc.oneof(fc.constantFrom("*", "needle", "-needle"), anyFilter),
  fromUs: anyTimeUs,
  untilUs: anyTimeUs,
  order: fc.constantFrom("time" as const, "stream" as const),
  reverse: fc.boolean(),
  arrived: fc.option(fc.record({ after: fc.nat({ max: 10 }), upTo: fc.nat({ max: 20 }) }), {
    nil: undefined,
    freq: 6,
  }),
});
/** Of much that there is: pages take their time. */
const anyLongSelection: fc.Arbitrary<Selection> = fc.oneof(
  anySelection,
  fc.record({
    query: fc.constantFrom("*", "-needle", "-level:error", "/./"),
    order: fc.constantFrom("time" as const, "stream" as const),
    reverse: fc.boolean(),
  }),
);
const anyLimit = fc.constantFrom(1, 7, 1000);

const anyAppend: fc.Arbitrary<Deed> = fc
  .record({
    stream: fc.nat({ max: STREAMS.length - 1 }),
    records: anyBatch,
    stepUs: fc.constantFrom(0, 1, 1, 1_000, DAY_US),
  })
  .map(({ stream, records, stepUs }) => ({
    name: `append(${stream}, ${fc.stringify(records)}, ${stepUs})`,
    work: (world) => world.append(stream, records, stepUs),
  }));
const anyDelete: fc.Arbitrary<Deed> = fc
  .record({
    query: fc.oneof(anyFilter, fc.constantFrom("needle", "level:error", "id7f3a", "user:bob")),
    fromUs: anyTimeUs,
    untilUs: anyTimeUs,
  })
  .map(({ query, fromUs, untilUs }) => ({
    name: `delete(${query}, ${fromUs}, ${untilUs})`,
    work: (world) => world.delete(query, fromUs, untilUs),
  }));
const percent = fc.oneof(fc.constant(0), fc.nat({ max: 30 }), fc.nat({ max: 100 }));
const anyPrune = fc
  .record({
    percents: fc.tuple(percent, percent, percent),
    pick: fc.oneof({ weight: 5, arbitrary: fc.constant(undefined) }, fc.nat()),
  })
  .map(({ percents, pick }) => ({ name: `prune(${percents.join("/")}, ${pick})`, percents, pick }));
const anyDeed: fc.Arbitrary<Deed> = fc.oneof(
  anyAppend,
  anyDelete,
  anyPrune.map(({ name, percents, pick }) => ({
    name,
    work: (world: StoreWorld) => void world.prune(percents, pick),
  })),
  fc.constant({ name: "reclaim", work: (world: StoreWorld) => void world.keeper.reclaim() }),
);
const between: fc.Arbitrary<readonly Between[]> = fc.oneof(
  { weight: 2, arbitrary: fc.constant([]) },
  fc.array(
    fc.record({
      at: fc.oneof(fc.constant("swap" as const), fc.integer({ min: 1, max: 6 })),
      deed: anyDeed,
    }),
    { minLength: 1, maxLength: 3 },
  ),
);

/** Each of them once: a job that begins again is not held up again. */
function interference(world: StoreWorld, deeds: readonly Between[]): Interference {
  let left = deeds;
  return {
    happen: (at) => {
      const now = left.filter((one) => one.at === at);
      left = left.filter((one) => one.at !== at);
      now.forEach(({ deed }) => deed.work(world));
    },
  };
}

function told(deeds: readonly Between[]): string {
  return deeds.map(({ at, deed }) => ` [${at}: ${deed.name}]`).join("");
}

class Crash extends Error {}

async function crashIn(
  world: StoreWorld,
  job: "compact" | "merge" | "removeDeleted",
  at: Between["at"],
): Promise<void> {
  const crash: Interference = {
    happen: (now) => {
      if (now === at) {
        throw new Crash();
      }
    },
  };
  try {
    switch (job) {
      case "compact":
        await world.keeper.compact(1, crash);
        break;
      case "merge":
        await world.merge(0, crash);
        break;
      case "removeDeleted":
        await world.keeper.removeDeleted(crash);
        break;
      default:
        job satisfies never;
    }
  } catch (error) {
    if (!(error instanceof Crash)) {
      throw error;
    }
  }
  world.crash();
}

const step = (name: string, work: (world: StoreWorld) => void | Promise<unknown>): Step =>
  new Step(name, work);

/** Steps of a kind, listed as often as they are to come beside others. */
function times(count: number, kind: fc.Arbitrary<Step>): fc.Arbitrary<Step>[] {
  return Array.from({ length: count }, () => kind);
}

const steps = fc.commands(
  [
    ...times(
      5,
      anyAppend.map(({ name, work }) => step(name, work)),
    ),
    ...times(
      4,
      fc
        .record({ level: fc.constantFrom(1, 3, 6), deeds: between })
        .map(({ level, deeds }) =>
          step(`compact(${level})${told(deeds)}`, (world) =>
            world.keeper.compact(level, interference(world, deeds)),
          ),
        ),
    ),
    ...times(
      3,
      fc
        .record({ pick: fc.nat({ max: 20 }), deeds: between })
        .map(({ pick, deeds }) =>
          step(`merge(${pick})${told(deeds)}`, (world) =>
            world.merge(pick, interference(world, deeds)),
          ),
        ),
    ),
    anyPrune.map(({ name, percents, pick }) =>
      step(name, (world) => world.dropParts(world.prune(percents, pick))),
    ),
    fc
      .nat({ max: POLICIES.length - 1 })
      .map((policy) => step(`setPolicy(${policy})`, (world) => world.setPolicy(policy))),
    anyDelete.map(({ name, work }) => step(name, work)),
    between.map((deeds) =>
      step(`removeDeleted${told(deeds)}`, (world) =>
        world.keeper.removeDeleted(interference(world, deeds)),
      ),
    ),
    fc.constant(step("reclaim", (world) => void world.keeper.reclaim())),
    fc.constant(step("crash", (world) => world.crash())),
    fc.constant(step("backUp", (world) => world.backUp())),
    fc.nat({ max: 3 }).map((pick) => step(`restore(${pick})`, (world) => world.restore(pick))),
    fc
      .record({
        job: fc.constantFrom(...(["compact", "merge", "removeDeleted"] as const)),
        at: fc.oneof(fc.constantFrom("swap" as const, "swapped"), fc.integer({ min: 1, max: 6 })),
      })
      .map(({ job, at }) => step(`crash in ${job} at ${at}`, (world) => crashIn(world, job, at))),
    ...times(
      3,
      fc
        .record({ selection: anySelection, limit: anyLimit })
        .map(({ selection, limit }) =>
          step(`ask(${fc.stringify(selection)}, ${limit})`, (world) => world.ask(selection, limit)),
        ),
    ),
    anySelection.map((selection) =>
      step(`count(${fc.stringify(selection)})`, (world) => world.count(selection)),
    ),
    ...times(
      2,
      fc
        .record({ selection: anyLongSelection, limit: fc.constantFrom(1, 2, 7) })
        .map(({ selection, limit }) =>
          step(`beginPaging(${fc.stringify(selection)}, ${limit})`, (world) =>
            world.beginPaging(selection, limit),
          ),
        ),
    ),
    ...times(6, fc.constant(step("goOnPaging", (world) => world.goOnPaging()))),
  ],
  { maxCommands: 50, size: "max" },
);

/** What is there when it begins. */
const beginning = fc.array(fc.tuple(anyAppend, fc.boolean()), { maxLength: 8, size: "max" });

const EVERYTHING: Selection = { query: "*", order: "time", reverse: false };

describe("a store against a plain array", () => {
  let world: StoreWorld;

  beforeAll(() => {
    world = new StoreWorld();
  });

  afterAll(() => world[Symbol.dispose]());

  it(
    "agrees whatever is stored, compacted, merged, pruned, deleted, restored and asked, in any order",
    { timeout: 60_000 + RUNS * 1_000 },
    async () => {
      await fc.assert(
        fc.asyncProperty(beginning, steps, async (stored, commands) => {
          world.clear();
          for (const [{ work }, isCompacted] of stored) {
            work(world);
            if (isCompacted) {
              await world.keeper.compact(1);
            }
          }
          await fc.asyncModelRun(() => ({ model: world, real: world }), commands);
          world.ask(EVERYTHING, 7);
          world.count(EVERYTHING);
          expect(world.keeper.factFindings()).toEqual([]);
          expect(world.keeper.quarantined).toEqual([]);
          expect(world.keeper.unreadable).toEqual([]);
        }),
        { numRuns: RUNS, ...(SEED !== undefined && { seed: Number(SEED) }) },
      );
    },
  );
});
