import { type Mutant, SYNC_OFF } from "./mutants.ts";

/** A fault of the store's files, and what must find it out. */
export interface StoreMutant extends Mutant {
  /** The power-loss test, or a named step of the store's kill test. */
  readonly foundBy: "power-loss" | { readonly step: string };
}

const MANIFEST = "packages/store/src/manifest";

export const STORE_MUTANTS: readonly StoreMutant[] = [
  { ...SYNC_OFF, foundBy: "power-loss" },
  {
    name: "segments not synced",
    fault: "the manifest names a segment of which a power loss leaves nothing",
    foundBy: "power-loss",
    edits: [
      {
        file: `${MANIFEST}/segment-folder.ts`,
        find: "  syncFile(`${file}.tmp`);\n",
        replace: "",
      },
    ],
  },
  {
    name: "swap before rename",
    fault: "the manifest names a segment that has no name yet",
    foundBy: "power-loss",
    edits: [
      {
        file: `${MANIFEST}/segment-folder.ts`,
        find: "  renameSync(`${file}.tmp`, file);\n  syncFolder(dirname(file));\n",
        replace: "",
      },
      {
        file: "packages/store/src/segment/segment-writer.ts",
        find: "statSync(join(dataDir, this.path))",
        replace: "statSync(`${join(dataDir, this.path)}.tmp`)",
      },
      {
        file: "packages/store/src/maintenance/replacement.ts",
        find: "  if (!ok) {\n",
        replace: `  for (const path of paths) {
    renameSync(\`\${context.dataDir}/\${path}.tmp\`, \`\${context.dataDir}/\${path}\`);
  }
  if (!ok) {
`,
      },
      {
        file: "packages/store/src/maintenance/replacement.ts",
        find: 'import { unlinkSegment } from "../manifest/segment-folder.ts";\n',
        replace:
          'import { renameSync } from "node:fs";\nimport { unlinkSegment } from "../manifest/segment-folder.ts";\n',
      },
    ],
  },
  {
    name: "data folder not synced",
    fault: "a power loss takes a new data folder with all that was acknowledged",
    foundBy: "power-loss",
    edits: [
      {
        file: "packages/store/src/data-folder.ts",
        find: "    makeNameLast(dataDir, first);\n",
        replace: "    if (first === '') {\n      makeNameLast(dataDir, first);\n    }\n",
      },
    ],
  },
  {
    name: "unlinking not synced",
    fault: "a merged segment comes back with a power loss, as one that nobody knows",
    foundBy: "power-loss",
    edits: [
      {
        file: "packages/store/src/space-return.ts",
        find: "        await handle?.sync();\n",
        replace: "",
      },
    ],
  },
  {
    name: "announced files ignored",
    fault: "what a killed compaction wrote is kept in quarantine, and takes its room for good",
    foundBy: { step: "nothing of the swap is written" },
    edits: [
      {
        file: `${MANIFEST}/orphan-sweep.ts`,
        find: "isUnfinished(path) || announced.has(path)",
        replace: 'isUnfinished(path) || (path === "" && announced.has(path))',
      },
    ],
  },
  {
    name: "input removed behind the swap",
    fault: "records are in the head and in a segment",
    foundBy: { step: "the swap is synced" },
    edits: [
      {
        file: `${MANIFEST}/swap.ts`,
        find: "        removeBatches.run(first, last, version);",
        replace: "        setImmediate(() => removeBatches.run(first, last, version));",
      },
    ],
  },
  {
    name: "forgotten before it is unlinked",
    fault: "a file that nobody knows takes its room for good",
    foundBy: { step: "a merge's input is to be unlinked" },
    edits: [
      {
        file: "packages/store/src/space-return.ts",
        find: "    for (const { path } of segments) {\n",
        replace: `    await this.#writer.forget(segments.map(({ id }) => id));
    for (const { path } of segments) {
`,
      },
    ],
  },
];
