import { mkdirSync, mkdtempSync, realpathSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Store } from "@sluice/store";

import { Prng } from "../corpus/prng.ts";
import type { Product } from "../product.ts";
import { Expectation } from "../store-kill/expectation.ts";
import { lookAt } from "../store-kill/store-look.ts";
import { StoreProcess } from "../store-kill/store-process.ts";
import type { JobKind, WorkerCommand, WorkerReport } from "../store-kill/worker-messages.ts";
import { DiskModel, type Loss, LOSSES } from "./disk-model.ts";
import { type DiskEvent, readDiskTrace, recordCommand } from "./disk-trace.ts";

export interface PowerLossPlan {
  readonly product: Product;
  readonly seed: number;
  readonly states: number;
  /** Ends with the first finding. */
  readonly isShort?: boolean;
}

export interface PowerLossReport {
  readonly states: ReadonlyMap<Loss, number>;
  readonly writes: number;
  readonly syncs: number;
  /** Batches acknowledged before the power went, over all states. */
  readonly acked: number;
  readonly seconds: number;
  readonly problems: readonly string[];
}

/** What the process does that is recorded: each job, with lines before and after it. */
const FIRST_LIFE: readonly (JobKind | number)[] = [
  40,
  "compact",
  20,
  "delete",
  "checkpoint",
  20,
  "prune",
  "remove-deleted",
  30,
];
const SECOND_LIFE: readonly (JobKind | number)[] = [
  20,
  "compact",
  20,
  "prune",
  "delete",
  20,
  "compact",
  "remove-deleted",
  10,
];

/** The first life ends in a compaction, about so long after its begin. */
const KILL_AFTER_MS = 400;

/**
 * Records what a store does to its files and makes states out of it that the disk may be found in after the
 * power has gone. On each the store is opened, and must hold what it had acknowledged by then.
 */
export async function runPowerLoss(plan: PowerLossPlan): Promise<PowerLossReport> {
  const startMs = performance.now();
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "sluice-power-loss-")));
  const problems: string[] = [];
  const states = new Map<Loss, number>();
  let acked = 0;
  let events: readonly DiskEvent[] = [];
  try {
    const root = join(folder, "disk");
    mkdirSync(root);
    events = await record(plan, root, folder);
    for (const state of statesOf(plan, events, root)) {
      const place = join(folder, "state");
      state.model.materialize(place, state.loss, state.random);
      const found = await problemsOf(place, state.said);
      states.set(state.loss, (states.get(state.loss) ?? 0) + 1);
      acked += state.said.filter(({ kind }) => kind === "acked").length;
      problems.push(...found.map((problem) => `${state.name}: ${problem}`));
      if (found.length > 0 && plan.isShort === true) {
        break;
      }
      await rm(place, { recursive: true });
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return {
    states,
    writes: events.filter(({ kind }) => kind === "write").length,
    syncs: events.filter(({ kind }) => kind === "sync").length,
    acked,
    seconds: (performance.now() - startMs) / 1000,
    problems,
  };
}

/** Two lives on one folder, the first of which is killed. */
async function record(
  { product, seed }: PowerLossPlan,
  root: string,
  folder: string,
): Promise<DiskEvent[]> {
  const events: DiskEvent[] = [];
  const expectation = new Expectation();
  for (const [life, steps] of [FIRST_LIFE, SECOND_LIFE].entries()) {
    const file = join(folder, `life-${life}.trace`);
    const start = { product, dataDir: join(root, "data"), seed: seed + life };
    await using worker = new StoreProcess({ ...start, wrapper: recordCommand(file) }, (report) =>
      expectation.take(report),
    );
    await worker.next("opened");
    const { visibility } = expectation;
    if (visibility !== undefined) {
      await worker.carryOut({ kind: "retention", visibility });
    }
    for (const step of steps) {
      await worker.carryOut(commandOf(step));
    }
    if (life === 0) {
      worker.send(commandOf("compact"));
      await delay(KILL_AFTER_MS);
      await worker.kill();
      await delay(KILL_AFTER_MS); // strace writes its last lines when the process has gone
    } else {
      await worker.close();
    }
    const before = events.length === 0 ? 0 : AFTER_ANY;
    events.push(...readDiskTrace(file).map((event) => moved(event, before)));
  }
  return events;
}

/** Places of a second trace lie behind those of the first. */
const AFTER_ANY = 1e9;

function moved(event: DiskEvent, by: number): DiskEvent {
  switch (event.kind) {
    case "said":
      return event;
    case "sync":
      return { ...event, begunAt: event.begunAt + by };
    default:
      return { ...event, endedAt: event.endedAt + by };
  }
}

function commandOf(step: JobKind | number): WorkerCommand {
  return typeof step === "number" ? { kind: "append", batches: step } : { kind: "job", job: step };
}

interface DiskState {
  readonly name: string;
  readonly model: DiskModel;
  readonly loss: Loss;
  readonly random: Prng;
  /** What the process had said by then. */
  readonly said: readonly WorkerReport[];
}

/** The power goes at moments spread over the recording. The model goes on with the next state. */
function* statesOf(
  { seed, states }: PowerLossPlan,
  events: readonly DiskEvent[],
  root: string,
): Generator<DiskState> {
  const random = new Prng(seed);
  const moments = Array.from({ length: states }, () => random.below(events.length));
  const model = new DiskModel(root);
  const said: WorkerReport[] = [];
  let at = 0;
  for (const [index, moment] of moments.sort((a, b) => a - b).entries()) {
    for (; at < moment; at++) {
      const event = events[at] as DiskEvent;
      if (event.kind === "said") {
        said.push(JSON.parse(event.line) as WorkerReport);
      } else {
        model.apply(event);
      }
    }
    const loss = LOSSES[index % LOSSES.length] as Loss;
    const name = `state ${index} (${loss}, before event ${moment} of ${events.length})`;
    yield { name, model, loss, random: new Prng(seed * 1_000_003 + index), said: [...said] };
  }
}

async function problemsOf(place: string, said: readonly WorkerReport[]): Promise<string[]> {
  const dataDir = join(place, "data");
  const expectation = new Expectation();
  for (const report of said) {
    expectation.take(report);
  }
  const problems: string[] = [];
  const trouble = (text: string): void => void problems.push(text);
  try {
    await using _store = await Store.open(dataDir, {
      committed: () => undefined,
      failed: (error) => trouble(`failed: ${error.message}`),
      noticed: (notice) => trouble(`noticed: ${JSON.stringify(notice)}`),
      full: () => trouble("the volume is full"),
    });
    const look = await lookAt(dataDir);
    problems.push(...look.problems, ...expectation.compare(look.seen, Date.now()));
  } catch (error) {
    problems.push(`the store does not open: ${(error as Error).message}`);
  }
  return problems;
}
