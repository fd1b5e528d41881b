import type { TracedCall } from "../system-trace.ts";
import type { JobKind } from "./worker-messages.ts";

/** Threads of a store, as the kernel shortens their names; `any` for those that come and go. */
type StoreThread = "sluice-writer" | "sluice-maintena" | "any";

/** An instant of a job: right before a system call. */
export interface NamedStep {
  readonly name: string;
  readonly job: JobKind;
  readonly thread: StoreThread;
  readonly call: string;
  /** In the call's arguments, descriptors as their paths. */
  readonly on: RegExp;
  /** It is the first of its kind behind these, which come one behind the other. */
  readonly behind: readonly Mark[];
}

interface Mark {
  readonly call: string;
  readonly on: RegExp;
}

const LOG = /head\.db-wal>/;
const DAY_FOLDER = /\/segments\/[^/]+\/\d{4}-\d\d-\d\d>/;
const PUBLISHED: Mark = { call: "fsync", on: DAY_FOLDER };
const UNLINKED: Mark = { call: "unlink", on: /\/segments\/.*\.db"/ };
const NAMED: Mark = { call: "rename", on: /\.partial-[^/"]*", / };
const COMMITTED: Mark = { call: "fsync", on: LOG };

/** Each step of what changes files once. */
export const NAMED_STEPS: readonly NamedStep[] = [
  step("a segment is written, not synced", "compact", "sluice-maintena", "fsync", /\.db\.tmp>/),
  step("it is synced, and has no name", "compact", "sluice-maintena", "rename", /\.db\.tmp"/),
  step("it has its name, not synced", "compact", "sluice-maintena", "fsync", DAY_FOLDER),
  step("nothing of the swap is written", "compact", "sluice-writer", "pwrite64", LOG, PUBLISHED),
  step("the swap is written, not synced", "compact", "sluice-writer", "fsync", LOG, PUBLISHED),
  step("the swap is synced", "compact", "sluice-writer", "pwrite64", LOG, PUBLISHED, COMMITTED),
  step("a merge's input is to be unlinked", "compact", "any", UNLINKED.call, UNLINKED.on),
  step("it is unlinked, and not forgotten", "compact", "sluice-writer", "pwrite64", LOG, UNLINKED),
  step("cutoffs are written, not synced", "prune", "sluice-writer", "fsync", LOG),
  step("cutoffs are in force", "prune", "sluice-writer", "pwrite64", LOG, COMMITTED),
  step("batches are removed", "prune", "sluice-writer", "pwrite64", LOG, COMMITTED, COMMITTED),
  step("a slice is deleted", "prune", "sluice-writer", "fsync", LOG, COMMITTED, COMMITTED),
  step("a delete is written, not synced", "delete", "sluice-writer", "fsync", LOG),
  step("what is left is written", "remove-deleted", "sluice-maintena", "fsync", /\.db\.tmp>/),
  step("its swap is written", "remove-deleted", "sluice-writer", "fsync", LOG, PUBLISHED),
  step("the old segment is unlinked", "remove-deleted", "any", UNLINKED.call, UNLINKED.on),
  step("a copied head is written", "backup", "any", "pwrite64", /\.partial-[^/]*\/head\.db>/),
  step("a segment is to be linked", "backup", "any", "link", /\/segments\//),
  step("a backup is whole, without its name", "backup", "any", NAMED.call, NAMED.on),
  step("it has its name", "backup", "sluice-writer", "fsync", LOG, NAMED),
];

function step(
  name: string,
  job: JobKind,
  thread: StoreThread,
  call: string,
  on: RegExp,
  ...behind: readonly Mark[]
): NamedStep {
  return { name, job, thread, call, on, behind };
}

/**
 * Which one of its thread's calls of this name a step is, counted from 1, by a recording of its job.
 *
 * @param threads names by id
 * @throws where the job does not come to it
 */
export function placeOfStep(
  { name, call, on, behind, thread }: NamedStep,
  calls: readonly TracedCall[],
  threads: ReadonlyMap<number, string>,
): number {
  const from = behind.reduce((at, mark) => indexBehind(at, calls, mark), -1);
  const ofCall = calls.filter((one) => one.name === call);
  const candidates = ofCall.filter(
    (one) =>
      on.test(one.args) &&
      calls.indexOf(one) > from &&
      (thread === "any" || threads.get(one.thread) === thread),
  );
  for (const found of candidates) {
    const before = ofCall.filter(({ enteredAt }) => enteredAt <= found.enteredAt);
    const place = before.filter((one) => one.thread === found.thread).length;
    const others = Map.groupBy(
      before.filter((one) => one.thread !== found.thread),
      (one) => one.thread,
    );
    // Calls are counted by thread: where all are traced, no other may come to this number first.
    if (thread !== "any" || [...others.values()].every((list) => list.length < place)) {
      return place;
    }
  }
  throw new Error(`the step "${name}" did not come: ${call} ${on}`);
}

function indexBehind(at: number, calls: readonly TracedCall[], { call, on }: Mark): number {
  const index = calls.findIndex((one, i) => i > at && one.name === call && on.test(one.args));
  return index === -1 ? calls.length : index;
}
