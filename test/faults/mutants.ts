/** One exact replacement in a source file. */
export interface Edit {
  /** Relative to the root of the repository. */
  readonly file: string;
  /** Must occur exactly once. */
  readonly find: string;
  readonly replace: string;
}

/** A fault that somebody could make, as a patch of the source. */
export interface Mutant {
  readonly name: string;
  /** What the guarantee loses with it. */
  readonly fault: string;
  readonly edits: readonly Edit[];
}

const POSITION = "packages/store/src/head/position.ts";
const OUTBOX = "apps/agent/src/outbox.ts";

/** The store takes every frame, whatever its place. Also the one that each `npm test` tries. */
export const COMPARE_AND_SET_OFF: Mutant = {
  name: "compare-and-set off",
  fault: "frames behind a damaged one are stored, and sent and stored again after the reset",
  edits: [
    {
      file: POSITION,
      find: "  if (frame.epoch < stored.epoch) {\n",
      replace:
        '  if (frame.ordinal >= 0) {\n    return "next";\n  }\n  if (frame.epoch < stored.epoch) {\n',
    },
  ],
};

/**
 * The WAL's commits are not synced, which is what better-sqlite3 does unless it is told. No kill
 * shows that: what was written survives its process. The trace of system calls does.
 */
export const SYNC_OFF: Mutant = {
  name: "commits not synced",
  fault: "what was acknowledged is gone after a power loss",
  edits: [
    {
      file: "packages/store/src/head/head-file.ts",
      find: 'db.pragma("synchronous = FULL");',
      replace: 'db.pragma("synchronous = NORMAL");',
    },
  ],
};

/** Those that the kill test must find out. */
export const MUTANTS: readonly Mutant[] = [
  COMPARE_AND_SET_OFF,
  {
    name: "ack before commit",
    fault: "what was acknowledged is gone after a kill of the collector",
    edits: [
      {
        file: "packages/store/src/head/head.ts",
        find: "const result = this.#db.transaction(work).immediate();",
        replace: `const commit = (): void => {
        if (this.#db.inTransaction) {
          this.#db.exec("COMMIT");
        }
      };
      commit();
      this.#db.exec("BEGIN IMMEDIATE");
      const result = work();
      setImmediate(commit);`,
      },
    ],
  },
  {
    name: "epoch ignored by the store",
    fault: "frames of before a reset cause further resets, or are stored behind it",
    edits: [
      {
        file: POSITION,
        find: "if (frame.epoch < stored.epoch) {",
        replace: "if (frame.epoch < 0) {",
      },
      { file: POSITION, find: "frame.epoch === stored.epoch &&", replace: "frame.epoch >= 0 &&" },
    ],
  },
  {
    name: "epoch ignored by the agent",
    fault: "batches read before a rewind are sent behind it, and their bytes again",
    edits: [
      {
        file: "packages/protocol/src/stream-window.ts",
        find: "this.#rewinds !== rewind",
        replace: "rewind < 0",
      },
    ],
  },
  {
    name: "checkpoint before ack",
    fault: "the agent believes to be stored what was only sent",
    edits: [
      {
        file: OUTBOX,
        find: "  readonly onError: (error: unknown) => void;\n",
        replace: `  readonly onError: (error: unknown) => void;
  readonly placed: (key: number, nextSeq: number, cursor: Uint8Array) => void;
`,
      },
      {
        file: OUTBOX,
        find: "const position = session.place(batch.key, batch.epoch, draft, nowMs());",
        replace: `const position = session.place(batch.key, batch.epoch, draft, nowMs());
    if (position !== undefined) {
      this.#parts.placed(batch.key, position.firstSeq + batch.count, batch.cursor);
    }`,
      },
      {
        file: "apps/agent/src/agent.ts",
        find: "      nowMs: () => performance.now(),\n",
        replace: `      nowMs: () => performance.now(),
      placed: (key, nextSeq, cursor) => {
        const worker = this.#roster.workers.get(key);
        if (worker !== undefined) {
          const name = streamName(worker.stream);
          this.#checkpoints.acked(this.#session.storeId ?? "", name, { nextSeq, cursor });
        }
      },
`,
      },
    ],
  },
];
