import type { Edit, Mutant } from "./mutants.ts";

/** A fault that tests of one package must find out. */
export interface UnitMutant extends Mutant {
  readonly foundBy: {
    readonly folder: "packages/tail" | "apps/agent";
    /** Names of files of tests. */
    readonly files: readonly string[];
    /** A pattern that the names of the tests match. */
    readonly tests: string;
  };
}

const TAIL = "packages/tail/src";
const AGENT = "apps/agent/src";

const HEAD_OFF: Edit = {
  file: `${TAIL}/identity.ts`,
  find: "  if (fingerprint(bytes.subarray(0, head.length)) !== head.hash) return undefined;\n",
  replace: "",
};

const GROWTH_TRUSTED: Edit = {
  file: `${TAIL}/plain-reader.ts`,
  find: '    if (Buffer.compare(before, anchor) !== 0) return this.diverge("regrown");\n',
  replace: "",
};

/** One or more for each fault of files and state that a table of docs/files.md or docs/agent.md names. */
export const UNIT_MUTANTS: readonly UnitMutant[] = [
  {
    name: "copies not looked for",
    fault: "2: what was unread when a file was copied and cut is lost, though the copy has it",
    foundBy: { folder: "packages/tail", files: ["rotation-faults.test.ts"], tests: "copytruncate" },
    edits: [
      {
        file: `${TAIL}/divergence.ts`,
        find: "  if (copy === undefined) return false;\n",
        replace: "  if (copy === undefined || copy.isContinued) return false;\n",
      },
    ],
  },
  {
    name: "seen beyond a copy forgotten",
    fault: "2: bytes that were seen, and cut away behind the copy, are missing without a gap",
    foundBy: {
      folder: "packages/tail",
      files: ["copy-faults.test.ts"],
      tests: "between the copying",
    },
    edits: [
      {
        file: `${TAIL}/divergence.ts`,
        find: "  generation.seenBytes = Math.max(generation.seenBytes, generation.sizeBytes);\n",
        replace: "",
      },
    ],
  },
  {
    name: "regrown file read on",
    fault: "3: a file that was cut and has grown past the old offset is read on from there",
    foundBy: {
      folder: "packages/tail",
      files: ["rotation-faults.test.ts"],
      tests: "past the old offset",
    },
    edits: [HEAD_OFF, GROWTH_TRUSTED],
  },
  {
    name: "head trusted for the rest",
    fault: "3: one that begins as it did before the cut is read on from the old offset",
    foundBy: {
      folder: "packages/tail",
      files: ["file-reader.test.ts"],
      tests: "the same first 4 KiB",
    },
    edits: [GROWTH_TRUSTED],
  },
  {
    name: "whole fingerprint awaited",
    fault: "6: a file of less than a kilobyte is not read before it has grown",
    foundBy: {
      folder: "packages/tail",
      files: ["identity-faults.test.ts"],
      tests: "one byte and a newline",
    },
    edits: [
      {
        file: `${TAIL}/adoption.ts`,
        find: "  if (position === undefined) {\n",
        replace: "  if (position === undefined || stat.sizeBytes < 1024) {\n",
      },
    ],
  },
  {
    name: "old reader after a cut",
    fault:
      "12: the reader of a file that was cut goes on in it, beside the one of the new generation",
    foundBy: {
      folder: "packages/tail",
      files: ["rotation-faults.test.ts"],
      tests: "after a truncation",
    },
    edits: [
      {
        file: `${TAIL}/divergence.ts`,
        find: 'import { adopt } from "./adoption.ts";\n',
        replace: `import { adopt } from "./adoption.ts";
import { fingerprint } from "./fingerprint.ts";
`,
      },
      {
        file: `${TAIL}/divergence.ts`,
        find: '  lose(registry, generation, reason === "replaced" ? "deleted" : "truncated");\n',
        replace: `  const none = fingerprint(new Uint8Array());
  generation.identity = { ...generation.identity, head: { length: 0, hash: none } };
  generation.moveTo({ offset: 0, anchor: none });
`,
      },
      {
        file: `${TAIL}/plain-reader.ts`,
        find: "    this.#place.doubt();\n",
        replace:
          "    this.#place.doubt();\n    this.#place.moveTo(this.#generation.position.offset);\n",
      },
    ],
  },
  {
    name: "path trusted",
    fault: "14: a file is taken for the one that stood at its path before",
    foundBy: {
      folder: "packages/tail",
      files: ["identity-faults.test.ts"],
      tests: "that swap names",
    },
    edits: [
      {
        file: `${TAIL}/reconcile.ts`,
        find: "      if (stat === undefined || inodeKey(stat) !== inodeKey(identity)) continue;\n",
        replace: "      if (stat === undefined) continue;\n",
      },
    ],
  },
  {
    name: "state not summed up",
    fault: "29: a bit of the agent's state that flips moves a stream to another place",
    foundBy: { folder: "apps/agent", files: ["checkpoints.test.ts"], tests: "whichever bit" },
    edits: [
      {
        file: `${AGENT}/checkpoints.ts`,
        find: "!== Number(checked[1])",
        replace: "< Number(checked[1]) - Infinity",
      },
    ],
  },
  {
    name: "damaged state not set aside",
    fault: "29: a damaged state is written over, and nobody can look at it any more",
    foundBy: { folder: "apps/agent", files: ["checkpoints.test.ts"], tests: "whichever bit" },
    edits: [
      {
        file: `${AGENT}/checkpoints.ts`,
        find: "      await rename(path, `${path}.damaged`);\n",
        replace: "",
      },
    ],
  },
  {
    name: "end not known from the cursor",
    fault: "a stream whose end is stored gets a gap where its file is gone by then",
    foundBy: { folder: "apps/agent", files: ["delivery.test.ts"], tests: "whose end is stored" },
    edits: [
      {
        file: `${AGENT}/stream-worker.ts`,
        find: "    if (isEnd) {\n",
        replace: "    if (isEnd && signal.aborted) {\n",
      },
    ],
  },
  {
    name: "end of another file trusted",
    fault: "a file is left unread where its number was that of one whose end is stored",
    foundBy: {
      folder: "packages/tail",
      files: ["reopen.test.ts"],
      tests: "number was another file's",
    },
    edits: [
      {
        file: `${TAIL}/file-source.ts`,
        find: "    if (isForeign(generation, decoded.value)) {\n",
        replace: "    if (isForeign(generation, decoded.value) && this.#disposed) {\n",
      },
    ],
  },
  {
    name: "loss and end apart",
    fault: "a loss is recorded once more by who comes back between it and the stream's end",
    foundBy: { folder: "apps/agent", files: ["delivery.test.ts"], tests: "recorded once" },
    edits: [
      {
        file: `${AGENT}/gap-note.ts`,
        find: "  const cursor = ledger.sealEnd(source);\n",
        replace: "  const cursor = ledger.seal(source);\n",
      },
      {
        file: `${AGENT}/stream-pump.ts`,
        find: "    batcher.note(key, epoch, ...endNotes(outcome, reader.cursorAt(reader.offset), ledger));\n",
        replace: `    for (const note of endNotes(outcome, reader.cursorAt(reader.offset), ledger)) {
      batcher.note(key, epoch, note);
    }
`,
      },
      {
        file: `${AGENT}/record-pump.ts`,
        find: "            batcher.note(key, epoch, ...endNotes(outcome, feed.cursor(), ledger));\n",
        replace: `            for (const note of endNotes(outcome, feed.cursor(), ledger)) {
              batcher.note(key, epoch, note);
            }
`,
      },
    ],
  },
];
