import type { Run } from "../block/run.ts";
import type { BlockIndex } from "../block/block-index.ts";
import { type RunFacts, runFacts } from "../segment/run-facts.ts";
import type { SegmentFile, SegmentRun } from "../segment/segment-file.ts";
import { SegmentRunReader } from "../segment/segment-run-reader.ts";
import { TokenCollector } from "../token-filter/token-collector.ts";

/** Reads a segment wholly: what it says of its runs against their records, and its token filter against their words. */
export class BlockCheck {
  readonly #tokens = new TokenCollector();

  /**
   * Each finding is the end of a sentence that begins with the segment's path.
   *
   * @param onRun takes each run that could be read
   * @throws SegmentError
   */
  run(file: SegmentFile, onRun: (run: Run) => void): string[] {
    const findings: string[] = [];
    const byBlock = Map.groupBy(file.runs, ({ block }) => block);
    const words: Uint32Array[] = [];
    for (let block = 0; block < file.blockCount; block++) {
      const index = file.index(block);
      const text = index.ok ? file.text(block, index.value) : index;
      if (!index.ok || !text.ok) {
        const detail = index.ok ? (text.ok ? "" : text.error.detail) : index.error.detail;
        findings.push(`block ${block} cannot be read: ${detail}`);
        words.push(new Uint32Array());
        continue;
      }
      words.push(this.#tokens.collect(text.value.bytes));
      const runs = byBlock.get(block) ?? [];
      const found = guardBlock(() => compareRuns(file, index.value, runs, onRun));
      findings.push(...found.map((detail) => `block ${block}: ${detail}`));
    }
    findings.push(...compareFilter(file, words));
    return findings;
  }
}

function compareRuns(
  file: SegmentFile,
  index: BlockIndex,
  runs: readonly SegmentRun[],
  onRun: (run: Run) => void,
): string[] {
  const findings: string[] = [];
  const listed = runs.reduce((sum, { count }) => sum + count, 0);
  if (listed !== index.count || runs.length !== index.runs.length) {
    return [`holds ${index.count} records, and its runs ${listed}`];
  }
  const reader = new SegmentRunReader(file);
  for (const [at, stated] of runs.entries()) {
    const span = index.runs[at];
    if (span?.streamId !== stated.streamId || span.from !== stated.fromRecord) {
      findings.push(`run ${stated.id} is of another stream, or stands elsewhere`);
      continue;
    }
    const run = reader.read(stated);
    if (run === undefined) {
      findings.push(`run ${stated.id} cannot be read`);
      continue;
    }
    findings.push(
      ...compareFacts(runFacts(run), stated).map((text) => `run ${stated.id}: ${text}`),
    );
    if (!isAscending(run.seqs)) {
      findings.push(`run ${stated.id}: its sequence numbers do not ascend`);
    }
    onRun(run);
  }
  return findings;
}

function compareFacts(found: RunFacts, stated: RunFacts): string[] {
  const names = Object.keys(found) as (keyof RunFacts)[];
  return names
    .map((name) => ({ name, is: String(found[name]), listed: String(stated[name]) }))
    .filter(({ is, listed }) => is !== listed)
    .map(({ name, is, listed }) => `${name} is ${is}, and ${listed} in its list`);
}

function isAscending(seqs: Float64Array): boolean {
  return seqs.every((seq, at) => at === 0 || seq > (seqs[at - 1] ?? 0));
}

/** A block whose checksums are right and whose columns are not throws when its records are made. */
function guardBlock(work: () => string[]): string[] {
  try {
    return work();
  } catch (error) {
    if (error instanceof RangeError) {
      return [error.message];
    }
    throw error;
  }
}

/** Pairs of a word and a block that are looked up together: some tens of megabytes. */
const PAIRS_A_PASS = 1_000_000;

/**
 * Every word of a block makes it a candidate. Looked up once for all blocks that hold it, since many
 * share the most of theirs; in passes over ranges of hashes, to take little memory.
 */
function compareFilter(file: SegmentFile, words: readonly Uint32Array[]): string[] {
  const pairs = words.reduce((sum, { length }) => sum + length, 0);
  const width = 2 ** 32 / Math.ceil(pairs / PAIRS_A_PASS);
  const lost = new Map<number, number>();
  for (let from = 0; from < 2 ** 32; from += width) {
    for (const [hash, blocks] of blocksByHash(words, from, from + width)) {
      const candidates = file.filter.candidatesOfHash(hash);
      if (!candidates.ok) {
        return [candidates.error.detail];
      }
      for (const block of blocks) {
        if (!candidates.value.has(block)) {
          lost.set(block, (lost.get(block) ?? 0) + 1);
        }
      }
    }
  }
  return Array.from(
    lost,
    ([block, count]) => `the token filter misses ${count} words of block ${block}`,
  );
}

function blocksByHash(
  words: readonly Uint32Array[],
  from: number,
  to: number,
): Map<number, number[]> {
  const blocksOf = new Map<number, number[]>();
  for (const [block, hashes] of words.entries()) {
    for (const hash of hashes) {
      if (hash >= from && hash < to) {
        const blocks = blocksOf.get(hash);
        if (blocks === undefined) {
          blocksOf.set(hash, [block]);
        } else {
          blocks.push(block);
        }
      }
    }
  }
  return blocksOf;
}
