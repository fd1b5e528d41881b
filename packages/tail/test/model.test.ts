import {
  copyFileSync,
  existsSync,
  renameSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import fc from "fast-check";
import { expect, it } from "vitest";
import { Collector, compress, Folder } from "./tail-fixture.ts";

const LOG = "app.log";

/** What a host does to one log, and what the agent does meanwhile. */
type Step =
  | { readonly kind: "append"; readonly lines: number; readonly partial: boolean }
  | { readonly kind: "rotate" }
  | { readonly kind: "scan" }
  | { readonly kind: "drain"; readonly targetBytes: number }
  | { readonly kind: "save" }
  | { readonly kind: "crash"; readonly rollBack: number; readonly meanwhile: readonly Step[] };

const append: fc.Arbitrary<Step> = fc.record({
  kind: fc.constant("append" as const),
  lines: fc.integer({ min: 1, max: 30 }),
  partial: fc.boolean(),
});
const rotate: fc.Arbitrary<Step> = fc.constant({ kind: "rotate" });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: append },
  { weight: 2, arbitrary: rotate },
  { weight: 2, arbitrary: fc.constant({ kind: "scan" } as const) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("drain" as const),
      targetBytes: fc.integer({ min: 1, max: 700 }),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: "save" } as const) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("crash" as const),
      /** The share of stored cursors that the collector still has afterwards. */
      rollBack: fc.constantFrom(1, 1, 0.5, 0),
      meanwhile: fc.array(fc.oneof(append, append, rotate), { maxLength: 8 }),
    }),
  },
);

interface Rotation {
  readonly mode: "rename" | "copytruncate";
  /** Rotated files are compressed when they are this old, in rotations; as logrotate's (delay)compress. */
  readonly compressAt?: 1 | 2;
  readonly format?: "gz" | "zst";
}

class Host {
  written = "";
  readonly #folder: Folder;
  readonly #keep: number;
  readonly #rotation: Rotation;
  #line = 0;

  constructor(folder: Folder, keep: number, rotation: Rotation) {
    this.#folder = folder;
    this.#keep = keep;
    this.#rotation = rotation;
  }

  append(lines: number, partial: boolean): void {
    let text = "";
    for (let n = 0; n < lines; n += 1) {
      this.#line += 1;
      // No line is the beginning of another: a file of one may be taken for a copy of the other.
      const number = String(this.#line).padStart(5, "0");
      text += `line ${number} ${"x".repeat(2 + (this.#line % 60))}\n`;
    }
    if (partial) text = text.slice(0, -3);
    this.#folder.append(LOG, text);
    this.written += text;
  }

  rotate(): void {
    const { mode, compressAt, format = "gz" } = this.#rotation;
    for (let n = this.#keep; n >= 1; n -= 1) {
      for (const ending of ["", `.${format}`]) {
        const from = this.#folder.at(`${LOG}.${n}${ending}`);
        if (!existsSync(from)) continue;
        if (n === this.#keep) unlinkSync(from);
        else renameSync(from, this.#folder.at(`${LOG}.${n + 1}${ending}`));
      }
    }
    const [log, first] = [this.#folder.at(LOG), this.#folder.at(`${LOG}.1`)];
    if (mode === "rename") {
      renameSync(log, first);
      writeFileSync(log, "");
    } else {
      copyFileSync(log, first);
      truncateSync(log);
    }
    const ripe = compressAt === undefined ? undefined : this.#folder.at(`${LOG}.${compressAt}`);
    if (ripe !== undefined && existsSync(ripe)) compress(ripe, format);
  }
}

async function run(
  steps: readonly Step[],
  options: Rotation & { readonly glob: string; readonly root: string },
): Promise<void> {
  using folder = new Folder(options.root);
  // More are kept than a run can rotate away unread: what is deleted unread is another test's.
  const host = new Host(folder, 40, options);
  writeFileSync(folder.at(LOG), "");
  const collector = new Collector({ include: [folder.at(options.glob)], start: "beginning" });
  await collector.start();
  collector.save();
  const play = async (current: Step): Promise<void> => {
    switch (current.kind) {
      case "append":
        return host.append(current.lines, current.partial);
      case "rotate":
        return host.rotate();
      case "scan":
        await collector.rescan();
        // The agent stores what it knows of a stream before it opens it.
        return collector.save();
      case "drain":
        for (const stream of collector.source.streams()) {
          await collector.drain(stream, current.targetBytes);
        }
        return;
      case "save":
        return collector.save();
      case "crash":
        await collector.stop();
        collector.rollBack(current.rollBack);
        for (const other of current.meanwhile) await play(other);
        await collector.start();
        return collector.save();
      default:
        return current satisfies never;
    }
  };
  for (const current of steps) await play(current);
  await collector.settle();
  await collector.restart();
  await collector.settle();
  await collector.stop();
  expect(collector.refused).toEqual([]);
  expect(collector.text(folder.at(LOG))).toBe(host.written);
  expect(collector.sources).toEqual([folder.at(LOG)]);
  expect(collector.lost).toEqual([]);
}

it.each([
  { mode: "rename", glob: "app.log", root: "/tmp" },
  { mode: "rename", glob: "app.log", root: "/dev/shm" },
  { mode: "rename", glob: "*", root: "/tmp" },
  { mode: "copytruncate", glob: "app.log", root: "/tmp" },
  { mode: "copytruncate", glob: "*", root: "/dev/shm" },
  { mode: "rename", glob: "app.log", root: "/dev/shm", compressAt: 1 },
  { mode: "rename", glob: "*", root: "/tmp", compressAt: 2, format: "zst" },
  { mode: "copytruncate", glob: "app.log", root: "/tmp", compressAt: 1 },
] as const)(
  "bytes read equal bytes written, once, in order ($mode, $glob, $root, compressed at $compressAt)",
  async (options) => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), (steps) => run(steps, options)),
      { numRuns: Number(process.env["TAIL_RUNS"] ?? 60) },
    );
  },
);
