import type { MatrixPlan } from "../src/rotation/matrix-cell.ts";
import type { Mutant } from "./mutants.ts";

/** A fault of reading files, and what must find it out. */
export interface FileMutant extends Mutant {
  /** Cells of the rotation matrix, or the test of initial cursors. */
  readonly foundBy: MatrixPlan | "initial-cursor";
}

const TAIL = "packages/tail/src";
const AGENT = "apps/agent/src";

const HEAD_OFF = {
  file: `${TAIL}/identity.ts`,
  find: "  if (fingerprint(bytes.subarray(0, head.length)) !== head.hash) return undefined;\n",
  replace: "",
};

const ANCHOR_OFF = [
  {
    file: `${TAIL}/identity.ts`,
    find: "    (noted.anchor === UNKNOWN_ANCHOR || noted.anchor === found.anchor)\n",
    replace: "    (noted.anchor === UNKNOWN_ANCHOR || noted.anchor !== LOST_ANCHOR)\n",
  },
  {
    file: `${TAIL}/identity.ts`,
    find: "return anchor === UNKNOWN_ANCHOR || fingerprint(bytes) === anchor ? bytes : undefined;",
    replace: "return anchor === LOST_ANCHOR ? undefined : bytes;",
  },
];

export const FILE_MUTANTS: readonly FileMutant[] = [
  {
    name: "inode trusted",
    fault: "a file that was cut and has grown past the old offset is read on from there",
    foundBy: cells("truncate and regrow", "down", "small"),
    edits: [HEAD_OFF, ...ANCHOR_OFF],
  },
  {
    name: "no head hash",
    fault: "a file that was cut before any of it was read is taken for itself",
    foundBy: cells("truncate and regrow", "down", "small"),
    edits: [HEAD_OFF],
  },
  {
    name: "no anchor hash",
    fault: "a file that begins as the one before it did is read on from the old offset",
    foundBy: cells("truncate and regrow", "down", "identical headers"),
    edits: ANCHOR_OFF,
  },
  {
    name: "nothing known of the unread",
    fault:
      "a file that was cut before any of it was read, and begins as before, is taken for itself",
    foundBy: cells("truncate and regrow", "down", "identical headers"),
    edits: [
      {
        file: `${TAIL}/identity.ts`,
        find: "  if (tip === undefined || position.offset > 0) return undefined;\n",
        replace: "  if (tip === undefined || position.offset >= 0) return undefined;\n",
      },
    ],
  },
  {
    name: "growth trusted",
    fault: "a running agent reads on from the old offset of a file that was cut and has grown",
    foundBy: cells("truncate and regrow", "up", "identical headers"),
    edits: [
      {
        file: `${TAIL}/plain-reader.ts`,
        find: '    if (Buffer.compare(before, anchor) !== 0) return this.diverge("regrown");\n',
        replace: "",
      },
    ],
  },
  {
    name: "losses not recorded",
    fault: "bytes that were destroyed unread are missing without a gap",
    foundBy: cells("truncate and regrow", "up", "small"),
    edits: [
      {
        file: `${AGENT}/stream-worker.ts`,
        find: "batcher.note(key, to.epoch, ...cursorLostNotes(sought.error, source, ledger));\n",
        replace:
          "batcher.note(key, to.epoch, ...cursorLostNotes(sought.error, source, ledger).slice(1));\n",
      },
    ],
  },
  {
    name: "rotated files not settled",
    fault: "what is written to a renamed file before its writer lets go of it is out of its place",
    foundBy: cells("rename", "up", "small"),
    edits: [
      {
        file: `${TAIL}/read-place.ts`,
        find: "    return quietSinceMs + this.#timing.settleMs - this.#clock.monotonicMs();\n",
        replace: "    return Math.min(0, this.#timing.settleMs - quietSinceMs);\n",
      },
    ],
  },
  {
    name: "copies read for themselves",
    fault: "a copy that is seen before its file is cut is stored, and its file's bytes again",
    foundBy: cells("copytruncate", "up", "small"),
    edits: [
      {
        file: `${TAIL}/reconcile.ts`,
        find: "      if (file.path !== path && this.#isBeingCopied(path, file)) continue;\n",
        replace: "",
      },
    ],
  },
  {
    name: "checkpoint over the collector",
    fault: "what was stored in the last second before a kill is stored again",
    foundBy: cells("rename", "killed", "small"),
    edits: [
      {
        file: `${AGENT}/stream-worker.ts`,
        find: "    const sought = await this.#reader.seek(source);\n",
        replace: "    const sought = await this.#reader.seek(this.#parts.stream.ackedCursor);\n",
      },
    ],
  },
  {
    name: "initial cursors not written",
    fault:
      "lines written behind a first start at the end are lost with a kill before the first ack",
    foundBy: "initial-cursor",
    edits: [
      {
        file: `${AGENT}/agent.ts`,
        find: "    await this.#checkpoints.write();\n",
        replace: "",
      },
      {
        file: `${AGENT}/stream-roster.ts`,
        find: "        await checkpoints.write();\n",
        replace: "",
      },
    ],
  },
  {
    name: "opened before the disk knows",
    fault: "a power loss takes the initial cursors of files that the collector has heard of",
    foundBy: "initial-cursor",
    edits: [
      {
        file: `${AGENT}/stream-roster.ts`,
        find: "        await checkpoints.write();\n",
        replace:
          '        checkpoints.write().catch((error: unknown) => emit({ kind: "failed", error }));\n',
      },
    ],
  },
  {
    name: "state not synced",
    fault: "a power loss leaves a state that is empty, or cut off",
    foundBy: "initial-cursor",
    edits: [
      {
        file: "packages/service/src/durable-file.ts",
        find: "    await file.sync();\n",
        replace: "",
      },
    ],
  },
];

function cells(
  operation: MatrixPlan["operations"][number],
  condition: MatrixPlan["conditions"][number],
  shape: MatrixPlan["shapes"][number],
): MatrixPlan {
  return { operations: [operation], conditions: [condition], shapes: [shape] };
}
